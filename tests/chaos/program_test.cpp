// papilio-chaos as a program.

#include <member/program.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

/// A folder for a run, and what is to be seen of the run from outside.
struct scratch {
    scratch() { REQUIRE(::mkdtemp(folder.data()) != nullptr); }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() { std::filesystem::remove_all(folder); }

    /// Bytes in which a member has noted its rounds.
    std::size_t rounds_of(int member) const
    {
        return content(folder + "/member-" + std::to_string(member) + ".jsonl").size();
    }

    /// All that were started with this folder.
    std::vector<std::string> processes() const
    {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator("/proc"))
            if (content(entry.path() / "cmdline").find(folder) != std::string::npos)
                all.push_back(entry.path().filename());
        return all;
    }

    /// The number of one that was started with this text, too; empty: there is none.
    std::string process_with(const std::string& text) const
    {
        for (const auto& pid : processes())
            if (content("/proc/" + pid + "/cmdline").find(text) != std::string::npos) return pid;
        return {};
    }

    static std::string content(const std::filesystem::path& file)
    {
        std::ifstream from(file);
        return {std::istreambuf_iterator<char>(from), {}};
    }

    std::string folder = "/tmp/papilio-chaos-test-XXXXXX";
};

/// The program in a process group of its own, as a shell starts it.
class started {
public:
    explicit started(std::vector<std::string> arguments)
    {
        std::vector<char*> argv{const_cast<char*>(PAPILIO_CHAOS)};
        for (auto& a : arguments) argv.push_back(a.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setpgid(0, 0);
            ::execv(PAPILIO_CHAOS, argv.data());
            ::_exit(127);
        }
    }
    started(const started&) = delete;
    started& operator=(const started&) = delete;
    ~started()
    {
        if (!status_) ::kill(pid_, SIGKILL);
        end();
    }

    pid_t pid() const { return pid_; }

    /// Waits for a moment.
    bool has_ended()
    {
        int status = 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
        return status_.has_value();
    }

    /// The exit code; -1: it was ended by a signal.
    int end()
    {
        while (!has_ended()) {
        }
        return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : -1;
    }

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

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

TEST_CASE("Ctrl-C ends a run that had no fault with 130, and leaves nothing running", "[program]")
{
    const scratch here;
    started director(
        {"--minutes", "10", "--peers", "3", "--elements", "100", "--folder", here.folder});
    while (here.rounds_of(1) == 0 || here.rounds_of(2) == 0 || here.rounds_of(3) == 0)
        REQUIRE_FALSE(director.has_ended());
    constexpr std::size_t all = 5;  // the members, the host and the director
    CHECK(here.processes().size() == all);
    ::kill(director.pid(), SIGSTOP);
    ::kill(-director.pid(), SIGINT);  // as a terminal does
    for (const auto done = here.rounds_of(1); here.rounds_of(1) < 4 * done;) {
        REQUIRE_FALSE(director.has_ended());
        REQUIRE(here.processes().size() == all);  // they have not heard of it
    }
    ::kill(director.pid(), SIGCONT);
    CHECK(director.end() == exit_by_signal(SIGINT));
    CHECK(here.processes().empty());
}

TEST_CASE("a process that crashes instead of ending as it was asked to fails the run", "[program]")
{
    const scratch here;
    started director({"--minutes", "10", "--peers", "3", "--folder", here.folder});
    while (here.rounds_of(2) == 0) REQUIRE_FALSE(director.has_ended());
    const std::string crashing = here.process_with("\"number\":2");
    ::kill(std::stoi(crashing), SIGSTOP);
    const auto stands = [&] {
        return here.content("/proc/" + crashing + "/status").find("State:\tT");
    };
    while (stands() == std::string::npos) REQUIRE_FALSE(director.has_ended());
    ::kill(std::stoi(crashing), SIGABRT);  // once it goes on, which is when it is asked to end
    ::kill(director.pid(), SIGINT);
    CHECK(director.end() == exit_failure);
}
