#include <papilio/async/asio_background_loop.hpp>

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/base/error.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;

namespace {

pa::task<int> answer()
{
    co_await pa::sleep_for(std::chrono::microseconds(10));
    co_return 42;
}

pa::task<> forever(bool& dropped)
{
    struct note {
        ~note() { dropped = true; }
        bool& dropped;
    };
    const note at_end{dropped};
    pa::gate never;
    co_await never.opened();
}

pa::task<int> failing()
{
    throw std::system_error(pa::errc::mismatch);
    co_return 0;
}

bool canceled(std::future<void>& f)
{
    try {
        f.get();
    } catch (const std::system_error& why) {
        return why.code() == std::errc::operation_canceled;
    }
    return false;
}

}  // namespace

TEST_CASE("work is done on the network's thread, and its result waited for", "[async]")
{
    pa::background_loop net;
    CHECK(net.wait(answer()) == 42);
    CHECK(net.call([] { return std::this_thread::get_id(); }) != std::this_thread::get_id());
    CHECK_THROWS_AS(net.wait(failing()), std::system_error);
}

TEST_CASE("work is dropped when a stop is requested", "[async]")
{
    pa::background_loop net;
    for (int i = 0; i < 100; ++i) {
        std::stop_source stop;
        bool dropped = false;
        auto waiting = net.start(forever(dropped), stop.get_token());
        stop.request_stop();
        CHECK(canceled(waiting));
        CHECK(dropped);
        bool never_began = false;
        auto late = net.start(forever(never_began), stop.get_token());
        CHECK(canceled(late));
    }
}

TEST_CASE("a stop that comes too late changes nothing", "[async]")
{
    pa::background_loop net;
    std::stop_source stop;
    auto done = net.start(answer(), stop.get_token());
    done.wait();
    stop.request_stop();
    CHECK(done.get() == 42);
}

TEST_CASE("what is still at work when the network goes is dropped", "[async]")
{
    bool dropped = false;
    std::future<void> left;
    {
        pa::background_loop net;
        left = net.start(forever(dropped));
        net.wait(answer());
    }
    CHECK(dropped);
    CHECK_THROWS_AS(left.get(), std::future_error);
}
