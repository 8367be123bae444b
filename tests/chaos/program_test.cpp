// papilio-chaos as a program.

#include <member/program.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

using namespace papilio::example;

namespace {

/// The exit code, and all that was printed.
std::pair<int, std::string> run(const std::string& options)
{
    std::string output;
    FILE* const pipe = ::popen((std::string(PAPILIO_CHAOS " ") + options + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> buffer;
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
    return {WEXITSTATUS(::pclose(pipe)), output};
}

}  // namespace

TEST_CASE("bad options are told in a sentence, and end with 2", "[program]")
{
    const auto [code, output] = run("--peers 1");
    CHECK(code == exit_usage);
    CHECK(output.find("papilio-chaos: --peers") != std::string::npos);
    CHECK(output.find("try --help") != std::string::npos);
}

TEST_CASE("the version is printed, and the help names each kind of fault", "[program]")
{
    CHECK(run("--version").second.find("papilio-chaos ") == 0);
    const auto [code, output] = run("--help");
    CHECK(code == exit_ok);
    for (const char* kind : {"kill", "stop", "restart", "link-down", "one-way", "full-disk",
                             "descriptors", "host-kill"})
        CHECK(output.find(kind) != std::string::npos);
}

TEST_CASE("a seed's schedule is printed without a run, and is the same each time", "[program]")
{
    const auto [code, output] = run("--schedule --minutes 2 --seed 4");
    CHECK(code == exit_ok);
    CHECK(output.find("kills the host, for") != std::string::npos);
    CHECK(run("--schedule --minutes 2 --seed 4").second == output);
    CHECK(run("--schedule --minutes 2 --seed 5").second != output);
}

TEST_CASE("who starts a process of a run by hand is told how to start a run", "[program]")
{
    const auto [code, output] = run("--as nothing");
    CHECK(code == exit_failure);
    CHECK(output.find("try --help") != std::string::npos);
}
