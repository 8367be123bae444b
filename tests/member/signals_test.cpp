#include <member/signals.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <csignal>
#include <stop_token>
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

void wait_for(const std::stop_token& request)
{
    while (!request.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
    signals s(0, SIGUSR1);
    CHECK(s.number() == 0);
    std::raise(number);
    wait_for(s.token());
    CHECK(s.number() == number);
    CHECK(s.end_token().stop_requested() == (number == SIGUSR1));
}

TEST_CASE("the signal that ends for good is no second one after another that only stops",
          "[member]")
{
    const int first = GENERATE(SIGTERM, SIGINT);
    signals s(0, SIGUSR1);
    std::raise(first);
    wait_for(s.token());
    CHECK_FALSE(s.end_token().stop_requested());
    std::raise(SIGUSR1);
    wait_for(s.end_token());
    CHECK(s.number() == first);
}

TEST_CASE("what nohup has set to be ignored stays so, and afterwards all is as it was before",
          "[member]")
{
    const handled ignored(SIGHUP, SIG_IGN);
    const handled ignored_too(SIGUSR2, SIG_IGN);
    const auto interrupt = handler_of(SIGINT), user = handler_of(SIGUSR1);
    {
        const signals s(0, SIGUSR2);
        CHECK(handler_of(SIGHUP) == SIG_IGN);
        CHECK(handler_of(SIGUSR2) != SIG_IGN);
        CHECK(handler_of(SIGINT) != interrupt);
        CHECK(handler_of(SIGUSR1) == user);
    }
    CHECK(handler_of(SIGHUP) == SIG_IGN);
    CHECK(handler_of(SIGUSR2) == SIG_IGN);
    CHECK(handler_of(SIGINT) == interrupt);
}
