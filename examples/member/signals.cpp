#include "signals.hpp"

#include "program.hpp"

#include <trainer/problem.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>

namespace papilio::example {

namespace {

// A signal handler may do little, so it writes a byte to the listener. It may run in any thread:
// libraries for linear algebra start threads before `main`.
std::atomic<int> to_listener = -1;
int from_handler = -1;

constexpr unsigned char end_listening = 0;  // no signal has this number

void tell_listener(unsigned char what)
{
    const int saved = errno;
    [[maybe_unused]] const auto written = ::write(to_listener.load(), &what, 1);
    errno = saved;
}

void handle(int signal)
{
    tell_listener(static_cast<unsigned char>(signal));
}

/// Whoever starts a program by nohup wants it to outlive the terminal.
bool is_ignored(int signal)
{
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    return now.sa_handler == SIG_IGN;
}

}  // namespace

signals::signals(std::string does, double minutes) : does_(std::move(does))
{
    begin(minutes);
}

signals::signals(double minutes, int ending) : ending_(ending)
{
    begin(minutes);
}

void signals::begin(double minutes)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_system_problem(errno, "cannot listen for signals");
    from_handler = ends[0];
    to_listener = ends[1];
    struct sigaction on_signal {};
    on_signal.sa_handler = handle;
    on_signal.sa_flags = SA_RESTART;
    for (const int number : {SIGINT, SIGTERM}) take(number, on_signal);
    if (ending_ != 0) take(ending_, on_signal);
    if (!is_ignored(SIGHUP)) take(SIGHUP, on_signal);
    ::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe fails instead
    ::signal(SIGXFSZ, SIG_IGN);  // and so does one to a file beyond its limit
    listener_ = std::thread([this, minutes] { listen(minutes); });
}

void signals::take(int number, const struct sigaction& action)
{
    before_.emplace_back(number, action);
    ::sigaction(number, &action, &before_.back().second);
}

signals::~signals()
{
    for (const auto& [number, before] : before_) ::sigaction(number, &before, nullptr);
    tell_listener(end_listening);
    listener_.join();
    ::close(to_listener.exchange(-1));
    ::close(std::exchange(from_handler, -1));
}

void signals::listen(double minutes)
{
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::duration<double, std::ratio<60>>(minutes);
    for (;;) {
        int timeout_ms = -1;
        if (minutes > 0 && !stop_.stop_requested()) {
            const std::chrono::duration<double, std::milli> left = until - clock::now();
            if (left.count() <= 0) stop_.request_stop();
            timeout_ms = static_cast<int>(std::clamp(left.count() + 1, 0.0, 1e9));
        }
        pollfd ready{from_handler, POLLIN, 0};
        if (::poll(&ready, 1, timeout_ms) <= 0) continue;
        unsigned char what = end_listening;
        if (::read(from_handler, &what, 1) != 1) continue;
        if (what == end_listening) return;
        receive(what);
    }
}

/// The first one stops the program, and `ending_` after another ends it for good.
void signals::receive(int number)
{
    const bool ends = number == ending_ && !end_.stop_requested();
    if (std::exchange(asked_, true) && !ends) ::_exit(exit_by_signal(number));
    if (!does_.empty()) std::fprintf(stderr, "\n%s; a second signal ends at once\n", does_.c_str());
    if (!stop_.stop_requested()) number_ = number;
    if (ends) end_.request_stop();
    stop_.request_stop();
}

}  // namespace papilio::example
