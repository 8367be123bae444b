#include "signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

namespace papilio::example {

namespace {

sigset_t endings()
{
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

signals::signals(double minutes)
{
    const sigset_t set = endings();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // whoever read our output may be gone: writes say so
    listener_ = std::jthread([this, minutes](std::stop_token done) { listen(done, minutes); });
}

signals::~signals() = default;

void signals::listen(std::stop_token done, double minutes)
{
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::duration<double, std::ratio<60>>(minutes);
    const sigset_t set = endings();
    const timespec glance{0, 200'000'000};
    bool asked = false;
    while (!done.stop_requested()) {
        const int signal = ::sigtimedwait(&set, nullptr, &glance);
        if (minutes > 0 && clock::now() >= until) stop_.request_stop();
        if (signal < 0) continue;
        if (std::exchange(asked, true)) ::_exit(128 + signal);
        std::fputs("\nending in good order; once more ends at once\n", stderr);
        stop_.request_stop();
    }
}

}  // namespace papilio::example
