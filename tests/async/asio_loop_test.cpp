#include <papilio/async/asio_loop.hpp>

#include <papilio/async/asio_operation.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/spawn.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/yield.hpp>

#include <catch2/catch.hpp>

#include <asio/buffer.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>

#include <array>
#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

using socket_type = asio::local::stream_protocol::socket;

/// Two sockets that are connected with each other.
struct socket_pair {
    explicit socket_pair(pa::asio_loop& on)
        : here(pa::asio_context(on)), there(pa::asio_context(on))
    {
        asio::local::connect_pair(here, there);
        here.non_blocking(true);
    }
    void write() { there.write_some(asio::buffer("x", 1)); }

    socket_type here;
    socket_type there;
};

pa::task<std::error_code> readable(socket_type& s)
{
    pa::asio_operation wait([&s](auto done) { s.async_wait(s.wait_read, std::move(done)); });
    co_return co_await wait;
}

}  // namespace

TEST_CASE("a socket wakes the task that waits for it")
{
    pa::asio_loop loop;
    socket_pair pair(loop);
    auto waiting = readable(pair.here);
    waiting.start(loop);
    CHECK(!waiting.finished());
    pair.write();
    while (!waiting.finished()) REQUIRE(loop.run_one());
    CHECK(!waiting.result());
}

TEST_CASE("an operation that fails gives its error")
{
    pa::asio_loop loop;
    socket_pair pair(loop);
    pair.here.close();
    CHECK(pa::sync_wait(loop, readable(pair.here)));
}

TEST_CASE("sockets are polled although events never cease")
{
    pa::asio_loop loop;
    socket_pair pair(loop);
    bool heard = false;
    const auto listen = [&]() -> pa::task<> {
        co_await readable(pair.here);
        heard = true;
    };
    const auto busy = [&](bool timed) -> pa::task<int> {
        int events = 0;
        while (!heard && events < 100'000) {
            ++events;
            if (timed)
                co_await pa::sleep_until(loop.now());
            else
                co_await pa::yield{};
        }
        co_return events;
    };
    auto listener = listen();
    listener.start(loop);
    pair.write();
    const bool timed = GENERATE(false, true);
    CHECK(pa::sync_wait(loop, busy(timed)) < 1000);
}

TEST_CASE("a wait that is dropped is cancelled, before and after its event")
{
    pa::asio_loop loop;
    socket_pair pair(loop);
    {
        auto waiting = readable(pair.here);
        waiting.start(loop);
    }
    pair.write();
    pa::asio_context(loop).restart();
    pa::asio_context(loop).poll();  // the cancelled operation's handler runs, and finds nobody

    auto waiting = std::make_optional(readable(pair.here));
    waiting->start(loop);
    pa::asio_context(loop).restart();
    pa::asio_context(loop).poll();  // its wake-up is posted, and dropped
    CHECK(!waiting->finished());
    waiting.reset();
    CHECK_FALSE(loop.run_one());
}

TEST_CASE("destroying a loop drops a spawned task and the operation it awaits")
{
    std::future<std::error_code> result;
    {
        std::optional<socket_pair> pair;
        pa::asio_loop loop;
        const auto work = [](pa::asio_loop& on) -> pa::task<std::error_code> {
            socket_pair own(on);
            co_return co_await readable(own.here);
        };
        result = pa::spawn(loop, work(loop));
        CHECK(loop.run_one());
    }
    CHECK_THROWS_AS(result.get(), std::future_error);
}

TEST_CASE("a deadlock on the real loop is noticed")
{
    pa::asio_loop loop;
    pa::gate closed;
    const auto work = [&]() -> pa::task<> { co_await closed.opened(); };
    try {
        pa::sync_wait(loop, work());
        FAIL("the gate never opens");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::stalled);
    }
}

TEST_CASE("the real loop's clock does not run ahead of its timers")
{
    pa::asio_loop loop;
    const auto due = loop.now() + 2ms;
    const auto work = [&]() -> pa::task<bool> {
        co_await pa::sleep_until(due);
        co_return loop.now() >= due;
    };
    CHECK(pa::sync_wait(loop, work()));
}

TEST_CASE("a thread that runs a loop takes spawned work until it is told to stop")
{
    pa::asio_loop loop;
    socket_pair pair(loop);
    std::jthread thread([&](std::stop_token stop) { loop.run(stop); });
    const auto where = []() -> pa::task<std::thread::id> {
        co_await pa::sleep_for(1us);
        co_return std::this_thread::get_id();
    };
    for (int i = 0; i < 100; ++i) {
        auto id = pa::spawn(loop, where());
        CHECK(id.get() == thread.get_id());
    }
    auto waiting = pa::spawn(loop, readable(pair.here));
    pair.write();
    CHECK(!waiting.get());
    thread.request_stop();
    thread.join();

    std::stop_source stopped;
    stopped.request_stop();
    loop.run(stopped.get_token());  // returns at once
}

TEST_CASE("a loop that only waits for other threads stops when it is told to")
{
    for (int i = 0; i < 200; ++i) {  // whatever it is doing at the time
        pa::asio_loop loop;
        std::jthread thread([&](std::stop_token stop) { loop.run(stop); });
        for (int pause = 0; pause < i; ++pause) std::this_thread::yield();
    }
}
