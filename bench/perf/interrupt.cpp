#include "perf/interrupt.hpp"

#include <csignal>
#include <ctime>
#include <stdexcept>

namespace papilio::perf {

namespace {

volatile std::sig_atomic_t interrupted = 0;

void note(int)
{
    interrupted = 1;
}

}  // namespace

void watch_for_interrupts()
{
    struct sigaction action {};
    action.sa_handler = note;  // no SA_RESTART: a signal interrupts system calls
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGHUP, &action, nullptr);
}

void throw_if_interrupted()
{
    if (interrupted) throw std::runtime_error("interrupted");
}

void wait_seconds(double seconds)
{
    timespec left{static_cast<std::time_t>(seconds), 0};
    left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
    while (nanosleep(&left, &left) != 0) throw_if_interrupted();
    throw_if_interrupted();
}

}  // namespace papilio::perf
