// papilio-sim as a program.

#include <member/program.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

using namespace papilio::example;

namespace {

/// The exit code, and all that was printed.
std::pair<int, std::string> run_program_with(const std::string& options)
{
    std::string output;
    FILE* const pipe = ::popen((std::string(PAPILIO_SIM " ") + options + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer;
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
    return {WEXITSTATUS(::pclose(pipe)), output};
}

}  // namespace

TEST_CASE("one run is shown as a timeline, the same each time", "[program]")
{
    const auto [code, output] = run_program_with("--seed 3");
    CHECK(code == exit_ok);
    CHECK(output.find("seed 3: ") == 0);
    CHECK(output.find("peer 0 calls") != std::string::npos);
    CHECK(run_program_with("--seed 3").second == output);
    CHECK(run_program_with("--seed 4").second != output);
}

TEST_CASE("a run takes the schedule that it is given", "[program]")
{
    const auto [code, output] = run_program_with("--seed 3 --schedule '2ms crash 0; 3ms stop 1'");
    CHECK(code == exit_ok);
    CHECK(output.find("2.000000 ms  crash 0") != std::string::npos);
    CHECK(output.find("3.000000 ms  stop 1") != std::string::npos);
    const auto [wrong, why] = run_program_with("--seed 3 --schedule '2ms crash 99'");
    CHECK(wrong == exit_failure);
    CHECK(why.find("papilio-sim: the fault '2ms crash 99' has '99'") != std::string::npos);
}

TEST_CASE("many runs are counted", "[program]")
{
    const auto [code, output] = run_program_with("--seeds 50 --first-seed 7");
    CHECK(code == exit_ok);
    CHECK(output.find("        50  runs\n") == 0);
    CHECK(output.find("peers that succeeded") != std::string::npos);
}

TEST_CASE("help and version are printed, and bad options end with 2", "[program]")
{
    CHECK(run_program_with("--version").second.find("papilio-sim ") == 0);
    const auto [code, output] = run_program_with("--help");
    CHECK(code == exit_ok);
    for (const char* verb :
         {"crash", "restart", "stop", "slow", "clog", "reorder", "cut", "partition", "drop"})
        CHECK(output.find(verb) != std::string::npos);
    const auto [wrong, why] = run_program_with("--seeds none");
    CHECK(wrong == exit_usage);
    CHECK(why.find("papilio-sim: --seeds") != std::string::npos);
    CHECK(why.find("try --help") != std::string::npos);
}
