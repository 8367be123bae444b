#include <member/signals.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>
#include <thread>

using papilio::example::signals;

namespace {

using handler = void (*)(int);

handler handler_of(int number)
{
    struct sigaction now {};
    ::sigaction(number, nullptr, &now);
    return now.sa_handler;
}

/// Lets a signal be handled otherwise as long as it lives.
struct handled {
    handled(int n, handler h) : number(n), before(std::signal(n, h)) {}
    handled(const handled&) = delete;
    handled& operator=(const handled&) = delete;
    ~handled() { std::signal(number, before); }

    int number;
    handler before;
};

}  // namespace

TEST_CASE("the end of a terminal requests a stop as other signals do, and is told by its number",
          "[member]")
{
    const handled by_default(SIGHUP, SIG_DFL);
    const int number = GENERATE(SIGHUP, SIGUSR1);
    signals s(0, {SIGTERM, SIGUSR1});
    CHECK(s.number() == 0);
    std::raise(number);
    while (!s.token().stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(s.number() == number);
}

TEST_CASE("what nohup has set to be ignored stays so, and afterwards all is as it was before",
          "[member]")
{
    const handled ignored(SIGHUP, SIG_IGN);
    const handled ignored_too(SIGUSR1, SIG_IGN);
    const auto interrupt = handler_of(SIGINT), terminate = handler_of(SIGTERM);
    {
        const signals s(0, {SIGINT, SIGUSR1});
        CHECK(handler_of(SIGHUP) == SIG_IGN);
        CHECK(handler_of(SIGUSR1) != SIG_IGN);
        CHECK(handler_of(SIGINT) != interrupt);
        CHECK(handler_of(SIGTERM) == terminate);
    }
    CHECK(handler_of(SIGHUP) == SIG_IGN);
    CHECK(handler_of(SIGUSR1) == SIG_IGN);
    CHECK(handler_of(SIGINT) == interrupt);
}
