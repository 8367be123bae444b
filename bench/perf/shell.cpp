#include "perf/shell.hpp"

#include "perf/interrupt.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <stdexcept>

namespace papilio::perf {

bool shell(const std::string& command)
{
    std::fflush(nullptr);
    const auto child = fork();
    if (child < 0) throw std::runtime_error("cannot start a shell");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return false;
        try {
            throw_if_interrupted();
        } catch (...) {
            kill(-child, SIGKILL);
            waitpid(child, nullptr, 0);
            throw;
        }
    }
    return status == 0;
}

void must(const std::string& command)
{
    if (!shell(command))
        throw std::runtime_error(
            "`" + command + "` failed. Network namespaces take root, and the package iproute2");
}

}  // namespace papilio::perf
