#include <papilio/transport/detail/connection.hpp>

#include <papilio/async/when_all.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/transport/detail/capped_stream.hpp>

#include "support/memory_stream.hpp"

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;

namespace {

struct observer final : pa::detail::connection_owner {
    void on_bytes() override {}
    void on_flow(const pa::wire::flow& f) override { told = f; }
    void on_end(std::error_code why) override { end = why; }
    void on_peer_shutdown() override { shut_down = true; }
    std::error_code end;
    bool shut_down = false;
    pa::wire::flow told;
};

/// Wakes nobody when it is closed.
class never_woken final : public pa::byte_stream {
public:
    explicit never_woken(std::unique_ptr<pa::byte_stream> s) : stream_(std::move(s)) {}
    std::size_t read_some(std::span<const pa::mutable_bytes> into, std::error_code& e) override
    {
        return stream_->read_some(into, e);
    }
    std::size_t write_some(std::span<const pa::bytes> from, std::error_code& e) override
    {
        return stream_->write_some(from, e);
    }
    pa::task<> readable() override { return stream_->readable(); }
    pa::task<> writable() override { return stream_->writable(); }
    const char* kind() const override { return "memory"; }
    void close() noexcept override {}

private:
    std::unique_ptr<pa::byte_stream> stream_;
};

/// Two ends in virtual time; a megabyte a second from the first to the second.
struct connected_pair {
    explicit connected_pair(std::uint64_t window = std::uint64_t{1} << 30) : out_window(window)
    {
        auto streams = make_memory_streams();
        auto limits = std::make_shared<pa::detail::caps>(1'000'000, 0);
        auto slow = std::make_unique<pa::detail::capped_stream>(world, std::move(streams.first),
                                                                std::move(limits));
        out = std::make_unique<pa::detail::connection>(world, std::move(slow), out_inbox, 1,
                                                       std::size_t{1} << 20, out_window, out_owner);
        in = std::make_unique<pa::detail::connection>(world, std::move(streams.second), in_inbox, 0,
                                                      std::size_t{1} << 20, in_window, in_owner);
    }

    pa::sim::world world;
    pa::mailbox out_inbox;
    pa::mailbox in_inbox;
    pa::detail::send_window out_window;
    pa::detail::send_window in_window{1 << 30};
    observer out_owner;
    observer in_owner;
    std::unique_ptr<pa::detail::connection> out;
    std::unique_ptr<pa::detail::connection> in;
};

pa::task<> send(pa::detail::connection& by, std::uint64_t t, const std::vector<std::byte>& message,
                int priority)
{
    co_await by.send(pa::tag{t}, message, priority);
}

pa::task<> receive(pa::mailbox& box, std::uint64_t t, std::vector<std::uint64_t>& order)
{
    std::vector<std::byte> into(100'000);
    const auto size = co_await box.take(0, pa::tag{t}, into);
    CHECK(size == 100'000);
    order.push_back(t);
}

}  // namespace

TEST_CASE("what is posted is sent in order and whole, though its bytes change right afterwards")
{
    connected_pair pair;
    constexpr int messages = 300;
    std::vector<std::byte> reused(3000);
    for (int i = 0; i < messages; ++i) {
        std::ranges::fill(reused, static_cast<std::byte>(i));
        CHECK(pair.out->post(pa::tag{1}, reused));
        std::ranges::fill(reused, std::byte{0xee});
        for (int turn = 0; turn < i % 7; ++turn) pair.world.run_one();
    }
    std::vector<std::byte> into(3000);
    const auto taken = [&]() -> pa::task<std::size_t> {
        co_return co_await pair.in_inbox.take(0, pa::tag{1}, into);
    };
    for (int i = 0; i < messages; ++i) {
        REQUIRE(pa::sync_wait(pair.world, taken()) == reused.size());
        REQUIRE(std::ranges::all_of(into, [i](auto b) { return b == static_cast<std::byte>(i); }));
    }
}

TEST_CASE("what is posted and does not fit the window is announced, and sent when it is asked for")
{
    connected_pair pair(1000);
    std::vector<std::byte> message(5000, std::byte{3}), into(5000);
    CHECK(pair.out->post(pa::tag{1}, message));
    std::ranges::fill(message, std::byte{0xee});
    while (pair.in_owner.told.size != 5000) REQUIRE(pair.world.run_one());
    CHECK(pair.in_owner.told.kind == pa::wire::flow_kind::announce);
    const auto take = [&]() -> pa::task<std::size_t> {
        co_return co_await pair.in_inbox.take(0, pa::tag{1}, into);
    };
    auto taken = take();
    taken.start(pair.world);
    while (pair.world.run_one()) {
    }
    CHECK_FALSE(taken.finished());
    pair.out_window.grant(pair.in_owner.told.number);
    while (!taken.finished()) REQUIRE(pair.world.run_one());
    REQUIRE(taken.result() == into.size());
    CHECK(std::ranges::all_of(into, [](auto b) { return b == std::byte{3}; }));
}

TEST_CASE("messages of higher priority are sent first, but for one that has started")
{
    connected_pair pair;
    const std::vector<std::byte> message(100'000);
    std::vector<std::uint64_t> order;
    std::vector<pa::task<>> work;
    const int priorities[] = {0, 0, 0, 5, 7, 5, -1, 0};
    for (std::uint64_t t = 0; t < std::size(priorities); ++t) {
        work.push_back(receive(pair.in_inbox, t, order));
        work.push_back(send(*pair.out, t, message, priorities[t]));
    }
    pa::sync_wait(pair.world, pa::test::all_of(std::move(work)));
    CHECK(order == std::vector<std::uint64_t>{0, 4, 3, 5, 1, 2, 7, 6});
}

TEST_CASE("the shutdown frame is sent last, whatever its priority")
{
    connected_pair pair;
    const std::vector<std::byte> message(100'000);
    std::vector<std::uint64_t> order;
    std::vector<pa::task<>> work;
    const std::vector<std::byte> nothing;
    work.push_back(send(*pair.out, 0, message, 0));
    work.push_back(send(*pair.out, static_cast<std::uint64_t>(pa::wire::shutdown), nothing, 0));
    work.push_back(send(*pair.out, 1, message, -3));
    work.push_back(receive(pair.in_inbox, 0, order));
    work.push_back(receive(pair.in_inbox, 1, order));
    pa::sync_wait(pair.world, pa::test::all_of(std::move(work)));
    CHECK(order == std::vector<std::uint64_t>{0, 1});
    while (!pair.in_owner.shut_down) REQUIRE(pair.world.run_one());
}

TEST_CASE("messages of one priority keep their order among each other, also when one is dropped")
{
    connected_pair pair;
    const std::vector<std::byte> message(100'000);
    std::vector<std::uint64_t> order;
    std::vector<pa::task<>> work;
    auto first = send(*pair.out, 0, message, 1);
    auto second = send(*pair.out, 1, message, 1);
    first.start(pair.world);
    second.start(pair.world);
    for (int i = 0; i < 20; ++i) pair.world.run_one();
    first = send(*pair.out, 2, message, 1);   // drops one that has begun: it still arrives whole
    second = send(*pair.out, 3, message, 2);  // and one that has not: it does not arrive
    first.start(pair.world);
    second.start(pair.world);
    for (const std::uint64_t t : {0u, 2u, 3u}) work.push_back(receive(pair.in_inbox, t, order));
    pa::sync_wait(pair.world, pa::test::all_of(std::move(work)));
    CHECK(order == std::vector<std::uint64_t>{0, 3, 2});
}

TEST_CASE("what a connection has read, and not passed on when it is ended, is nobody's")
{
    connected_pair pair;
    const std::vector<std::byte> message(10);
    for (std::uint64_t t = 0; t < 100; ++t) CHECK(pair.out->post(pa::tag{t}, message));
    const auto arrived = [&](std::uint64_t t) {
        std::vector<std::byte> into(10);
        auto taking = [&]() -> pa::task<> { co_await pair.in_inbox.take(0, pa::tag{t}, into); };
        auto taken = taking();
        taken.start(pair.world);
        for (int i = 0; i < 3; ++i) pair.world.run_one();
        return taken.finished();
    };
    pair.in->end(pa::errc::disconnected);
    pair.in_inbox.close(0, pa::errc::disconnected);
    pair.in_inbox.reopen(0);  // as for the next link
    while (pair.world.run_one()) {
    }
    CHECK_FALSE(arrived(0));
    CHECK_FALSE(arrived(99));
}

TEST_CASE("a receive whose message is half there fails when its connection is ended")
{
    pa::sim::world world;
    pa::mailbox inbox;
    observer owner;
    auto streams = make_memory_streams(100);
    auto deaf = std::make_unique<never_woken>(std::move(streams.second));
    pa::detail::send_window window(1000);
    pa::detail::connection in(world, std::move(deaf), inbox, 0, 1000, window, owner);
    std::error_code why;
    const auto taking = [&]() -> pa::task<> {
        std::vector<std::byte> into(500);
        try {
            co_await inbox.take(0, pa::tag{0}, into);
        } catch (const std::system_error& e) {
            why = e.code();
        }
    };
    auto taken = taking();
    taken.start(world);
    const auto head = pa::wire::encode(pa::wire::frame{pa::tag{0}, 500});
    const std::array<pa::bytes, 2> half{head, pa::bytes(head).first(10)};
    std::error_code error;
    CHECK(streams.first->write_some(half, error) == head.size() + 10);
    for (int i = 0; i < 100; ++i) world.run_one();
    CHECK_FALSE(taken.finished());
    in.end(pa::errc::silent);
    for (int i = 0; i < 100; ++i) world.run_one();
    CHECK(taken.finished());
    CHECK(why == pa::errc::disconnected);
}
