#include "child.hpp"

#include <trainer/problem.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

namespace papilio::example::chaos {

namespace {

/// In the new process, where only what is safe after a fork may be called.
[[noreturn]] void become(char* const* arguments, int reports, const char* output)
{
    ::setpgid(0, 0);  // what a terminal sends to a group is for the director alone
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (out >= 0) {
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        if (out > STDERR_FILENO) ::close(out);
    }
    if (reports == report_descriptor)
        ::fcntl(reports, F_SETFD, 0);
    else
        ::dup2(reports, report_descriptor);
    ::execv("/proc/self/exe", arguments);
    ::_exit(127);
}

}  // namespace

child::child(const process_options& o, const std::filesystem::path& output)
{
    std::string argument = to_argument(o);
    std::string name = "papilio-chaos", how = "--as";
    const std::array<char*, 4> arguments{name.data(), how.data(), argument.data(), nullptr};
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_system_problem(errno, "cannot start a process");
    pid_ = ::fork();
    if (pid_ == 0) become(arguments.data(), ends[1], output.c_str());
    const int why = errno;
    ::close(ends[1]);
    from_ = ends[0];
    ::fcntl(from_, F_SETFL, O_NONBLOCK);
    if (pid_ < 0) {
        ::close(from_);
        throw_system_problem(why, "cannot start a process");
    }
}

child::~child()
{
    if (pid_ > 0) {
        signal(SIGKILL);
        wait();
    }
    ::close(from_);
}

bool child::read()
{
    std::array<char, std::size_t{64} << 10> buffer;
    for (;;) {
        const auto n = ::read(from_, buffer.data(), buffer.size());
        if (n > 0)
            reader_.add({buffer.data(), static_cast<std::size_t>(n)});
        else if (n < 0 && errno == EINTR)
            continue;
        else
            return n < 0 && errno == EAGAIN;
    }
}

void child::signal(int number) const
{
    if (pid_ > 0) ::kill(pid_, number);
}

void child::end(int signal)
{
    asked_.add(signal);
    this->signal(signal);
}

int child::wait()
{
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace papilio::example::chaos
