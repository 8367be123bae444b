#include <papilio/transport/detail/receive_windows.hpp>

#include <catch2/catch.hpp>

#include <map>

namespace pa = papilio;
using pa::detail::receive_windows;
using pa::wire::early_cost;
using pa::wire::first_window;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// What each peer has been told last, and how often.
struct told : pa::detail::flow_replies {
    bool answer_call(int, pa::tag, pa::bytes) override { return true; }
    void reply(int peer, const pa::wire::flow& f) override
    {
        CHECK(f.kind == pa::wire::flow_kind::window);
        CHECK(f.subject > last[peer]);
        last[peer] = f.subject;
        ++frames[peer];
    }
    std::map<int, std::uint64_t> last;
    std::map<int, int> frames;
};

}  // namespace

TEST_CASE("a peer is told its whole window when its link begins")
{
    told peers;
    receive_windows windows(4 * mib, 100 * mib, 1);
    windows.open(7, peers, first_window);
    CHECK(peers.last[7] == 4 * mib);
    CHECK(windows.reserved() == 4 * mib);
    windows.open(8, peers, 4 * mib);  // knows it already
    CHECK(peers.frames[8] == 0);
}

TEST_CASE("a window moves on when a quarter of it is free again, and not before")
{
    told peers;
    receive_windows windows(4 * mib, 100 * mib, 1);
    windows.open(1, peers, 4 * mib);
    const auto quarter = mib - 1000;
    windows.passes(1, 8 * quarter / 9);
    CHECK(peers.frames[1] == 0);
    windows.passes(1, 1000);
    CHECK(peers.frames[1] == 1);
    CHECK(peers.last[1] == 4 * mib + early_cost(8 * quarter / 9) + early_cost(1000));
}

TEST_CASE("what is kept keeps its place in the window until it is taken")
{
    told peers;
    receive_windows windows(4 * mib, 100 * mib, 1);
    windows.open(1, peers, 4 * mib);
    for (int i = 0; i < 3; ++i) {
        windows.check(1, mib);
        windows.keep(1, mib);
    }
    CHECK(windows.reserved() == 4 * mib);
    CHECK(peers.frames[1] == 0);
    CHECK_THROWS_AS(windows.check(1, mib), std::system_error);
    for (int i = 0; i < 3; ++i) windows.consumed(1, mib);
    CHECK(peers.last[1] == 4 * mib + 3 * early_cost(mib));
    CHECK(windows.reserved() == 4 * mib);
}

TEST_CASE("what a peer sends beyond its window is refused, whether a receive waits or not")
{
    told peers;
    receive_windows windows(mib, 100 * mib, 1);
    windows.open(1, peers, mib);
    for (const auto size : {mib, ~std::size_t{0}, ~std::size_t{0} - 100}) {
        CHECK_THROWS_AS(windows.check(1, size), std::system_error);
        CHECK_THROWS_AS(windows.passes(1, size), std::system_error);
    }
    CHECK_NOTHROW(windows.check(1, mib / 2));
}

TEST_CASE("what was asked for costs no window, and holds it back while it is kept")
{
    told peers;
    receive_windows windows(mib, 100 * mib, 1);
    windows.open(1, peers, mib);
    windows.keep_granted(1, 50 * mib);
    CHECK(windows.reserved() == mib + early_cost(50 * mib));
    CHECK_NOTHROW(windows.check(1, mib / 2));
    windows.passes(1, mib / 2);
    CHECK(peers.frames[1] == 0);
    windows.consumed(1, 50 * mib);
    CHECK(peers.frames[1] == 1);
    CHECK(windows.reserved() == mib);
}

TEST_CASE("no more is reserved for all peers together than there is, and all come to share it")
{
    constexpr int count = 40;
    constexpr std::size_t total = 20 * mib, most = total + count * first_window;
    told peers;
    receive_windows windows(4 * mib, total, 4);
    std::map<int, std::uint64_t> spent;
    for (int peer = 0; peer < count; ++peer) {
        peers.last[peer] = first_window - 1;
        windows.open(peer, peers, first_window);
        CHECK(windows.reserved() <= most);
    }
    CHECK(peers.last[0] == 4 * mib);
    CHECK(peers.last[count - 1] < first_window);  // nothing was left
    for (int round = 0; round < 1000; ++round)
        for (int peer = 0; peer < count; ++peer) {
            if (spent[peer] + early_cost(20'000) <= peers.last[peer]) {
                spent[peer] += early_cost(20'000);
                windows.passes(peer, 20'000);
            } else {
                windows.raise(peer);  // it has announced a message
            }
            REQUIRE(windows.reserved() <= most);
        }
    for (int peer = 0; peer < count; ++peer) {
        INFO(peer);
        CHECK(peers.last[peer] - spent[peer] >= total / count / 2);
        CHECK(peers.last[peer] - spent[peer] <= total / count + first_window);
    }
}

TEST_CASE("what was reserved for a link is free when it ends, but for what is kept")
{
    told peers;
    receive_windows windows(4 * mib, 100 * mib, 1);
    windows.open(1, peers, 4 * mib);
    windows.keep(1, mib);
    windows.close(1);
    windows.close(1);
    CHECK(windows.reserved() == early_cost(mib));
    windows.open(1, peers, first_window);  // another link begins, while something is kept
    CHECK(peers.last[1] == 4 * mib - early_cost(mib));
    windows.consumed(1, mib);
    CHECK(windows.reserved() == 4 * mib);
}

TEST_CASE("a peer without a window may have a limit of its own kept, and is told nothing")
{
    receive_windows windows(mib, mib, 1);
    windows.passes(1, 100 * mib);
    windows.keep(1, mib / 2);
    windows.keep(2, mib / 2);
    CHECK_THROWS_AS(windows.check(1, mib / 2), std::system_error);
    windows.consumed(1, mib / 2);
    CHECK_NOTHROW(windows.check(1, mib / 2));
}
