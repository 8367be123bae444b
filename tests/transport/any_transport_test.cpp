#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/base.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

namespace pa = papilio;

namespace {

/// What the concept asks for, and no more. Notes what it is asked to do.
struct plain {
    int rank() { return 2; }
    int size() { return 5; }
    pa::task<> send(int peer, pa::tag t, pa::bytes message)
    {
        last_peer = peer;
        last_tag = t;
        last_size = message.size();
        co_return;
    }
    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes into)
    {
        last_peer = peer;
        last_tag = t;
        std::ranges::fill(into, std::byte{9});
        co_return into.size();
    }

    int last_peer = -1;
    pa::tag last_tag{};
    std::size_t last_size = 0;
};

/// The optional members, too.
struct refined : plain {
    pa::call_numbers& calls() { return numbers; }
    bool post(int peer, pa::tag t, pa::bytes message)
    {
        last_peer = peer;
        last_tag = t;
        last_size = message.size();
        return true;
    }
    void discard_call(pa::tag t) { last_tag = t; }
    pa::time_point last_heard(int peer) { return pa::time_point(std::chrono::seconds(peer)); }
    pa::duration heartbeat() { return std::chrono::milliseconds(70); }
    std::uint64_t arrived(int peer) { return static_cast<std::uint64_t>(100 * peer); }
    pa::duration round_trip(int peer) { return std::chrono::milliseconds(peer); }
    pa::task<bool> shares_host(int peer) { return pa::detail::known(peer == 3); }

    pa::call_numbers numbers;
};

struct no_send : plain {
    void send(int, pa::tag, pa::bytes) {}
};

}  // namespace

static_assert(pa::transport<plain>);
static_assert(pa::transport<refined>);
static_assert(pa::transport<pa::any_transport>);
static_assert(!pa::transport<no_send>);
static_assert(!pa::transport<int>);
static_assert(!pa::detail::numbers_calls<plain>);
static_assert(pa::detail::numbers_calls<refined>);

TEST_CASE("any_transport forwards every call")
{
    pa::thread_loop loop;
    refined net;
    pa::any_transport any(net);
    std::vector<std::byte> buffer(10);
    CHECK(any.rank() == 2);
    CHECK(any.size() == 5);
    pa::sync_wait(loop, any.send(3, pa::tag{4}, buffer));
    CHECK(net.last_peer == 3);
    CHECK(net.last_tag == pa::tag{4});
    CHECK(net.last_size == 10);
    CHECK(pa::sync_wait(loop, any.recv(1, pa::tag{5}, buffer)) == 10);
    CHECK(net.last_peer == 1);
    CHECK(buffer[9] == std::byte{9});
    CHECK(any.calls() == &net.numbers);
    CHECK(any.post(4, pa::tag{7}, pa::bytes(buffer).first(3)));
    CHECK(net.last_peer == 4);
    CHECK(net.last_size == 3);
    any.discard_call(pa::tag{6});
    CHECK(net.last_tag == pa::tag{6});
    CHECK(any.last_heard(7) == pa::time_point(std::chrono::seconds(7)));
    CHECK(any.heartbeat() == std::chrono::milliseconds(70));
    CHECK(any.arrived(3) == 300u);
    CHECK(any.round_trip(3) == std::chrono::milliseconds(3));
    CHECK(pa::sync_wait(loop, any.shares_host(3)));
    CHECK_FALSE(pa::sync_wait(loop, any.shares_host(4)));
}

TEST_CASE("members that a transport lacks have default results")
{
    plain net;
    pa::any_transport any(net);
    any.discard_call(pa::tag{6});
    CHECK(any.last_heard(1) == pa::time_point::min());
    CHECK_FALSE(any.heartbeat());
    CHECK_FALSE(any.arrived(1));
    CHECK_FALSE(any.round_trip(1));
    pa::thread_loop loop;
    CHECK_FALSE(pa::sync_wait(loop, any.shares_host(1)));
    CHECK(any.calls() == nullptr);
    CHECK_FALSE(any.post(1, pa::tag{6}, {}));
}

TEST_CASE("copies of an any_transport refer to one transport")
{
    refined net;
    pa::any_transport any(net);
    pa::any_transport copy = any;
    CHECK(any.calls()->next() == 1);
    CHECK(copy.calls()->next() == 2);
}
