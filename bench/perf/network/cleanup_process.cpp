#include "perf/network/cleanup_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace papilio::perf {

namespace {

/// Waits until the parent's end of the pipe closes. Runs in a session of its own, since a Ctrl-C
/// must not reach it.
[[noreturn]] void clean_up_after(int pipe)
{
    setsid();
    for (const int s : {SIGINT, SIGTERM, SIGHUP}) std::signal(s, SIG_IGN);
    std::string text;
    char some[4096];
    for (;;) {
        const auto n = read(pipe, some, sizeof(some));
        if (n <= 0) break;
        text.append(some, static_cast<std::size_t>(n));
    }
    std::vector<std::string> commands;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        if (end == std::string::npos) break;
        commands.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    for (auto c = commands.rbegin(); c != commands.rend(); ++c) {
        [[maybe_unused]] const int ignored = std::system(("{ " + *c + "; } 2>/dev/null").c_str());
    }
    _exit(0);
}

}  // namespace

cleanup_process::cleanup_process() : maker_(getpid())
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::system_category(), "cannot make a pipe");
    std::fflush(nullptr);
    process_ = fork();
    if (process_ < 0) throw std::system_error(errno, std::system_category(), "cannot fork");
    if (process_ == 0) {
        close(ends[1]);
        clean_up_after(ends[0]);
    }
    close(ends[0]);
    pipe_ = ends[1];
}

cleanup_process::~cleanup_process()
{
    close(pipe_);
    if (getpid() != maker_) return;
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void cleanup_process::add(const std::string& command)
{
    const auto line = command + '\n';
    [[maybe_unused]] const auto ignored = write(pipe_, line.data(), line.size());
}

}  // namespace papilio::perf
