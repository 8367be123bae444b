#include <papilio/transport/mailbox.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/transport/detail/inbound_message.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace pa = papilio;
using Catch::Matchers::Contains;
using pa::detail::inbound_message;

namespace {

std::vector<std::byte> filled(std::size_t size, int value)
{
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

pa::task<std::size_t> take(pa::mailbox& box, int peer, pa::tag t, pa::mutable_bytes into)
{
    co_return co_await box.take(peer, t, into);
}

void run_all(pa::loop& loop)
{
    while (loop.run_one()) {
    }
}

/// A receive that has been posted, and waits.
struct receive {
    receive(pa::loop& on, pa::mailbox& box, int peer, pa::tag t, std::size_t size) : into(size)
    {
        work.emplace(take(box, peer, t, into));
        work->start(on);
        run_all(on);
    }

    bool done() const { return work->finished(); }
    std::error_code failure()
    {
        try {
            work->result();
        } catch (const std::system_error& e) {
            return e.code();
        }
        return {};
    }

    std::vector<std::byte> into;
    std::optional<pa::task<std::size_t>> work;
};

/// A message of a peer's that is lent to this process.
struct lender : pa::detail::loan_returns {
    explicit lender(std::vector<std::byte> of) : content(std::move(of)) {}

    pa::detail::lent_ptr lend()
    {
        auto lent = std::make_unique<pa::detail::lent_message>(content, state, 7, nullptr);
        lent->set_returns(std::make_shared<pa::detail::loan_returns*>(this));
        return lent;
    }
    void give_back(std::uint64_t number) override { returned += number == 7; }

    std::vector<std::byte> content;
    std::atomic<std::uint64_t> state{7};
    int returned = 0;
};

/// The next `count` bytes of a message, as a transport would write them.
void write(inbound_message& m, std::size_t count, int value)
{
    const auto to = m.destination().first(std::min(count, m.destination().size()));
    std::ranges::fill(to, static_cast<std::byte>(value));
    m.advance(count);
}

constexpr std::size_t cost(std::size_t size)
{
    return pa::wire::early_cost(size);
}
constexpr pa::tag one{1};
constexpr pa::tag two{2};

}  // namespace

TEST_CASE("a message goes to the receive that waits for it, whoever came first")
{
    pa::thread_loop loop;
    pa::mailbox box;
    receive waiting(loop, box, 3, one, 10);
    CHECK(!waiting.done());
    box.deliver(4, one, filled(5, 1));  // another peer
    box.deliver(3, two, filled(5, 2));  // another tag
    run_all(loop);
    CHECK(!waiting.done());
    box.deliver(3, one, filled(5, 3));
    run_all(loop);
    REQUIRE(waiting.done());
    CHECK(waiting.work->result() == 5);
    CHECK(waiting.into[4] == std::byte{3});
    CHECK(waiting.into[5] == std::byte{0});

    receive late(loop, box, 4, one, 10);
    REQUIRE(late.done());
    CHECK(late.into[0] == std::byte{1});
}

TEST_CASE("a message that a receive waits for is written in place")
{
    pa::thread_loop loop;
    pa::mailbox box(0);  // nothing may be kept
    receive waiting(loop, box, 1, one, 100);
    inbound_message message(box, 1, one, 80);
    CHECK(message.destination().data() == waiting.into.data());
    CHECK(message.destination().size() == 80);
    write(message, 30, 7);
    CHECK(message.left() == 50);
    CHECK(message.destination().data() == waiting.into.data() + 30);
    run_all(loop);
    CHECK(!waiting.done());
    write(message, 50, 8);
    message.finish();
    run_all(loop);
    REQUIRE(waiting.done());
    CHECK(waiting.work->result() == 80);
    CHECK(waiting.into[29] == std::byte{7});
    CHECK(waiting.into[79] == std::byte{8});
}

TEST_CASE("an early message is kept, and given to a receive posted meanwhile")
{
    pa::thread_loop loop;
    pa::mailbox box;
    {
        inbound_message message(box, 1, one, 80);
        write(message, 40, 7);
        receive waiting(loop, box, 1, one, 80);
        CHECK(!waiting.done());
        write(message, 40, 8);
        message.finish();
        run_all(loop);
        REQUIRE(waiting.done());
        CHECK(waiting.into[0] == std::byte{7});
        CHECK(waiting.into[79] == std::byte{8});
    }
    {
        inbound_message message(box, 1, one, 80);
        write(message, 80, 9);
        message.finish();
    }
    receive late(loop, box, 1, one, 80);
    REQUIRE(late.done());
    CHECK(late.into[79] == std::byte{9});
}

TEST_CASE("the rest of a message whose receive is dropped half-way is discarded")
{
    pa::thread_loop loop;
    pa::mailbox box(0);
    auto waiting = std::make_optional<receive>(loop, box, 1, one, 80);
    inbound_message message(box, 1, one, 80);
    write(message, 30, 7);
    waiting.reset();
    CHECK(message.destination().empty());
    CHECK(message.left() == 50);
    message.advance(50);
    message.finish();
    receive next(loop, box, 1, one, 80);
    CHECK(!next.done());
    box.deliver(1, one, filled(3, 1));
    run_all(loop);
    CHECK(next.done());
}

TEST_CASE("a receive whose link breaks half-way through its message fails")
{
    pa::thread_loop loop;
    pa::mailbox box;
    receive waiting(loop, box, 1, one, 80);
    {
        inbound_message message(box, 1, one, 80);
        write(message, 30, 7);
    }
    box.close(1, pa::errc::disconnected);
    run_all(loop);
    REQUIRE(waiting.done());
    CHECK(waiting.failure() == pa::errc::disconnected);
}

TEST_CASE("a message too large for its receive fails it, and only it")
{
    pa::thread_loop loop;
    pa::mailbox box;
    receive small(loop, box, 1, one, 10);
    receive next(loop, box, 1, one, 10);
    box.deliver(1, one, filled(11, 1));
    box.deliver(1, one, filled(10, 2));
    run_all(loop);
    REQUIRE(small.done());
    CHECK(small.failure() == pa::errc::too_large);
    CHECK(small.into == filled(10, 0));
    REQUIRE(next.done());
    CHECK(next.into == filled(10, 2));

    box.deliver(1, one, filled(11, 3));  // early: then, too, it is used up
    box.deliver(1, one, filled(10, 4));
    receive early(loop, box, 1, one, 10);
    receive last(loop, box, 1, one, 10);
    CHECK(early.failure() == pa::errc::too_large);
    CHECK(last.into == filled(10, 4));
}

TEST_CASE("each peer may fill its own limit with early messages, and is told when it exceeds it")
{
    pa::mailbox box(cost(700) + cost(100));
    CHECK_NOTHROW(box.deliver(1, one, filled(700, 1)));
    CHECK_NOTHROW(box.deliver(1, two, filled(100, 1)));
    CHECK_THROWS_AS(box.deliver(1, two, {}), std::system_error);
    CHECK_NOTHROW(box.deliver(2, one, filled(800, 1)));
    CHECK(box.most_held() == cost(700) + cost(100) + cost(800));
}

TEST_CASE("errors name the peer, the limit and what was found")
{
    pa::thread_loop loop;
    pa::mailbox box(1000);
    receive small(loop, box, 7, one, 4);
    box.deliver(7, one, filled(6, 1));
    run_all(loop);
    CHECK_THROWS_WITH(small.work->result(),
                      Contains("6 bytes from peer 7") && Contains("buffer of 4 bytes"));
    CHECK_THROWS_WITH(box.deliver(7, one, filled(1001, 1)), Contains("peer 7") &&
                                                                Contains("1001 bytes") &&
                                                                Contains("early_limit = 1000"));
}

TEST_CASE("empty messages count, too")
{
    pa::mailbox box(1000);
    int kept = 0;
    try {
        for (; kept < 100; ++kept) box.deliver(1, one, {});
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::bad_message);
    }
    CHECK(kept == static_cast<int>(1000 / cost(0)));
}

TEST_CASE("an early message beyond the limit is refused before anything is allocated")
{
    pa::mailbox box(1000);
    box.deliver(1, one, filled(100, 1));
    const auto exabytes = std::numeric_limits<std::size_t>::max();
    for (const auto size : {std::size_t{1001}, exabytes / 2, exabytes - 100, exabytes}) try {
            inbound_message message(box, 1, one, size);
            FAIL("there is no such memory");
        } catch (const std::system_error& e) {
            CHECK(e.code() == pa::errc::bad_message);
        }
    CHECK_NOTHROW(box.deliver(1, one, filled(400, 1)));  // and nothing was charged
}

TEST_CASE("a message that is taken, lost or discarded no longer counts against the limit")
{
    pa::thread_loop loop;
    pa::mailbox box(cost(1000));
    for (int i = 0; i < 10; ++i) {
        box.deliver(1, one, filled(1000, i));
        receive taken(loop, box, 1, one, 1000);
        CHECK(taken.done());

        box.deliver(1, one, filled(1000, i));
        receive too_small(loop, box, 1, one, 1);
        CHECK(too_small.failure() == pa::errc::too_large);

        {
            inbound_message lost(box, 1, one, 1000);
            write(lost, 10, i);
        }
        const auto call = pa::make_tag({.call = static_cast<std::uint32_t>(i + 1)});
        box.deliver(1, call, filled(1000, i));
        box.discard_call(call);

        inbound_message under_way(box, 1, one, 1000);
        write(under_way, 1000, i);
        receive posted_meanwhile(loop, box, 1, one, 1000);
        under_way.finish();
        run_all(loop);
        CHECK(posted_meanwhile.done());
    }
}

TEST_CASE("receives from a closed peer fail, but not before its messages are taken")
{
    pa::thread_loop loop;
    pa::mailbox box;
    box.deliver(1, one, filled(5, 1));
    receive waiting(loop, box, 1, two, 10);
    receive other(loop, box, 2, two, 10);
    box.close(1, pa::errc::silent);
    box.close(1, pa::errc::disconnected);  // the first reason stays
    run_all(loop);
    REQUIRE(waiting.done());
    CHECK(waiting.failure() == pa::errc::silent);
    CHECK(!other.done());
    receive arrived(loop, box, 1, one, 10);
    CHECK(arrived.work->result() == 5);
    receive later(loop, box, 1, one, 10);
    REQUIRE(later.done());
    CHECK(later.failure() == pa::errc::silent);
}

TEST_CASE("messages of a closed peer are discarded: something before them may be missing")
{
    pa::thread_loop loop;
    pa::mailbox box(cost(1000));
    box.deliver(1, one, filled(900, 1));
    CHECK_THROWS_AS(box.deliver(1, one, filled(900, 2)), std::system_error);
    box.close(1, pa::errc::too_large);
    receive first(loop, box, 1, one, 1000);
    CHECK(first.into[0] == std::byte{1});
    box.deliver(1, one, filled(900, 3));
    receive next(loop, box, 1, one, 1000);
    CHECK(next.failure() == pa::errc::too_large);
}

TEST_CASE("a receive may fail and be dropped before its task resumes")
{
    pa::thread_loop loop;
    pa::mailbox box;
    {
        receive waiting(loop, box, 1, one, 10);
        box.close(1, pa::errc::disconnected);
    }
    run_all(loop);
    box.deliver(2, one, filled(5, 1));
    {
        receive waiting(loop, box, 2, two, 10);
        box.deliver(2, two, filled(5, 1));
    }
    run_all(loop);
}

TEST_CASE("the messages of a discarded call are dropped: early, half-way and later ones")
{
    pa::thread_loop loop;
    pa::mailbox box;
    const auto of = [](std::uint32_t call, std::uint32_t index) {
        return pa::make_tag({.call = call, .kind = pa::message_kind::result, .index = index});
    };
    box.deliver(1, of(5, 1), filled(5, 1));
    box.deliver(1, of(6, 1), filled(5, 1));
    inbound_message message(box, 1, of(5, 2), 10);
    write(message, 5, 1);
    box.discard_call(of(5, 9));
    box.discard_call(of(5, 9));
    write(message, 5, 1);
    message.finish();
    box.deliver(1, of(5, 3), filled(5, 1));
    for (const std::uint32_t index : {1u, 2u, 3u}) {
        receive never(loop, box, 1, of(5, index), 10);
        CHECK(!never.done());
    }
    receive kept(loop, box, 1, of(6, 1), 10);
    CHECK(kept.done());
}

TEST_CASE("at least the last thousand discarded calls are remembered")
{
    pa::thread_loop loop;
    pa::mailbox box;
    const auto of = [](std::uint32_t call) { return pa::make_tag({.call = call}); };
    for (std::uint32_t call = 1; call <= 5000; ++call) box.discard_call(of(call));
    box.deliver(1, of(5000), filled(5, 1));
    box.deliver(1, of(4001), filled(5, 1));
    receive newest(loop, box, 1, of(5000), 10);
    receive older(loop, box, 1, of(4001), 10);
    CHECK(!newest.done());
    CHECK(!older.done());
}

TEST_CASE("a lent message is copied into the receive that waits for it, and returned")
{
    pa::thread_loop loop;
    lender peer(filled(50'000, 3));
    pa::mailbox box;
    receive waits(loop, box, 1, one, 50'000);
    box.deliver_lent(1, one, peer.lend());
    CHECK(peer.returned == 1);
    run_all(loop);
    REQUIRE(waits.done());
    CHECK(waits.work->result() == 50'000);
    CHECK(waits.into == peer.content);
}

TEST_CASE("an early message that is lent costs no more than to say so, and stays lent")
{
    pa::thread_loop loop;
    lender peer(filled(50'000, 3));
    pa::mailbox box(1000);
    box.deliver_lent(1, one, peer.lend());
    CHECK(box.most_held() == pa::wire::early_cost(32));
    CHECK(peer.returned == 0);
    receive late(loop, box, 1, one, 50'000);
    REQUIRE(late.done());
    CHECK(late.into == peer.content);
    CHECK(peer.returned == 1);
    for (int i = 0; i < 4; ++i) box.deliver_lent(1, two, peer.lend());
    CHECK_THROWS_AS(box.deliver_lent(1, two, peer.lend()), std::system_error);
}

TEST_CASE("a lent message that has been taken back never came, early or not")
{
    pa::thread_loop loop;
    lender peer(filled(50'000, 3));
    pa::mailbox box;
    box.deliver_lent(1, one, peer.lend());
    peer.state = 0;
    receive waits(loop, box, 1, one, 50'000);
    CHECK(!waits.done());
    CHECK(peer.returned == 1);
    box.deliver_lent(1, one, peer.lend());
    run_all(loop);
    CHECK(!waits.done());
    box.deliver(1, one, filled(10, 4));
    run_all(loop);
    REQUIRE(waits.done());
    CHECK(waits.work->result() == 10);
    CHECK(waits.into[0] == std::byte{4});
}

TEST_CASE("an early message is received though the one before it has been taken back")
{
    pa::thread_loop loop;
    lender gone(filled(50'000, 3)), peer(filled(50'000, 4));
    pa::mailbox box;
    box.deliver_lent(1, one, gone.lend());
    box.deliver_lent(1, one, peer.lend());
    gone.state = 0;
    receive takes(loop, box, 1, one, 50'000);
    REQUIRE(takes.done());
    CHECK(takes.into == peer.content);
}

TEST_CASE("whoever borrows reads a lent message where it lies, and returns it at the end")
{
    pa::thread_loop loop;
    lender peer(filled(50'000, 3));
    pa::mailbox box;
    std::vector<std::byte> into(50'000);
    pa::detail::lent_ptr lent;
    const auto borrow = [&]() -> pa::task<std::size_t> {
        co_return co_await box.take(1, one, into, lent);
    };
    const bool early = GENERATE(false, true);
    if (early) box.deliver_lent(1, one, peer.lend());
    auto work = borrow();
    work.start(loop);
    run_all(loop);
    if (!early) box.deliver_lent(1, one, peer.lend());
    run_all(loop);
    REQUIRE(work.finished());
    CHECK(work.result() == 50'000);
    REQUIRE(lent);
    CHECK(lent->get().data() == peer.content.data());
    CHECK(into == filled(50'000, 0));
    CHECK(lent->intact());
    peer.state = 0;
    CHECK(!lent->intact());
    CHECK(peer.returned == 0);
    lent.reset();
    CHECK(peer.returned == 1);
}

TEST_CASE(
    "a lent message that exceeds its receive fails it, and one of a discarded call is returned")
{
    pa::thread_loop loop;
    lender peer(filled(50'000, 3));
    pa::mailbox box;
    receive small(loop, box, 1, one, 49'999);
    box.deliver_lent(1, one, peer.lend());
    run_all(loop);
    REQUIRE(small.done());
    CHECK(small.failure() == pa::errc::too_large);
    CHECK(peer.returned == 1);
    box.deliver_lent(1, two, peer.lend());
    box.discard_call(two);
    CHECK(peer.returned == 2);
    box.deliver_lent(1, two, peer.lend());
    CHECK(peer.returned == 3);
    box.close(1, pa::errc::disconnected);
    box.deliver_lent(1, one, peer.lend());
    CHECK(peer.returned == 4);
}
