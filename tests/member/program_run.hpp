#pragma once

#include <trainer/support.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace papilio::example {

/// A program under test: a process of its own, whose output is read line by line. Nobody waits for
/// it longer than `patience`.
class program_run {
public:
    program_run(const char* program, std::vector<std::string> arguments)
    {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        std::vector<char*> argv{const_cast<char*>(program)};
        for (auto& a : arguments) argv.push_back(a.data());
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(ends[1], STDOUT_FILENO);
            ::dup2(ends[1], STDERR_FILENO);
            ::execv(program, argv.data());
            ::_exit(127);
        }
        ::close(ends[1]);
        from_ = ends[0];
    }
    program_run(const program_run&) = delete;
    program_run& operator=(const program_run&) = delete;
    ~program_run()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(from_);
    }

    /// Reads on until a line holds `words`, and returns that line; empty: the program ended first.
    std::string line_with(std::string_view words)
    {
        for (;;) {
            const auto line = next_line();
            if (line.empty() || mentions(line, words)) return line;
        }
    }

    void signal(int number) { ::kill(pid_, number); }
    pid_t pid() const { return pid_; }

    /// Reads the rest of the output, and gives what the program ended with; -1: by a signal.
    int end()
    {
        while (!next_line().empty()) {
        }
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    /// All that was read so far.
    const std::string& output() const { return output_; }

private:
    static constexpr auto patience = std::chrono::minutes(4);

    std::string next_line()
    {
        const auto until = std::chrono::steady_clock::now() + patience;
        for (;;) {
            const auto end = output_.find('\n', line_begins_);
            if (end != std::string::npos) {
                const auto line = output_.substr(line_begins_, end + 1 - line_begins_);
                line_begins_ = end + 1;
                return line;
            }
            if (!read_more(until)) return {};
        }
    }

    bool read_more(std::chrono::steady_clock::time_point until)
    {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        pollfd ready{from_, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0)
            FAIL("the program says nothing more after\n" << output_);
        char buffer[4096];
        const auto n = ::read(from_, buffer, sizeof buffer);
        if (n > 0) output_.append(buffer, static_cast<std::size_t>(n));
        return n > 0;
    }

    pid_t pid_ = -1;
    int from_ = -1;
    std::string output_;
    std::size_t line_begins_ = 0;
};

/// What a miner says of its state in its last line; empty if it has not.
inline std::string last_digest(const std::string& output)
{
    const std::string words = "digest ";
    const auto ended = output.rfind("ended after round ");
    if (ended == std::string::npos) return {};
    return output.substr(output.find(words, ended) + words.size(), 64);
}

/// Options with which the demo model learns in moments, on a text in `folder`.
inline std::vector<std::string> quick_training(const scratch_folder& folder)
{
    const auto path = folder.path() / "text.txt";
    if (!std::filesystem::exists(path)) folder.file("text.txt", small_text(20'000));
    return {"--data",        path, "--length",  "16", "--batch",   "1",
            "--inner-steps", "2",  "--threads", "1",  "--warm-up", "2"};
}

inline std::vector<std::string> joined(std::vector<std::string> a,
                                       const std::vector<std::string>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace papilio::example
