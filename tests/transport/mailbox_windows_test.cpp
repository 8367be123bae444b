// A mailbox that tells its peers what they may send.

#include <papilio/transport/mailbox.hpp>

#include <papilio/async/thread_loop.hpp>
#include <papilio/transport/detail/inbound_message.hpp>
#include <papilio/wire/vote.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pa = papilio;
using pa::wire::early_cost;
using pa::wire::flow_kind;

namespace {

constexpr std::size_t window = std::size_t{1} << 20;
constexpr std::size_t vote_size = pa::wire::vote::encoded_size;

/// A mailbox, what it tells its peers, and the receives that wait at it.
struct told_box : pa::detail::flow_replies {
    told_box() { box.open(1, *this, window); }

    void reply(int peer, const pa::wire::flow& f) override
    {
        if (f.kind == flow_kind::window) {
            granted_in_all = f.subject;
            return;
        }
        said += std::to_string(peer) + (f.kind == flow_kind::grant ? "+" : "-") +
                std::to_string(f.number) + " ";
    }

    bool answer_call(int peer, pa::tag t, pa::bytes answer) override
    {
        const auto fields = pa::fields_of(t);
        CHECK(fields == pa::tag_fields{.call = fields.call, .kind = pa::message_kind::answer});
        said += std::to_string(peer) + "=" + std::to_string(answer.size()) + " ";
        return answers;
    }

    void announce(std::uint64_t number, pa::tag t, std::uint32_t size)
    {
        box.note(1, {.kind = flow_kind::announce,
                     .size = size,
                     .number = number,
                     .subject = static_cast<std::uint64_t>(t)});
    }
    void withdraw(std::uint64_t number, pa::tag t)
    {
        box.note(1, {.kind = flow_kind::withdraw,
                     .number = number,
                     .subject = static_cast<std::uint64_t>(t)});
    }
    void end_call(pa::tag t)
    {
        box.note(1, {.kind = flow_kind::over, .subject = static_cast<std::uint64_t>(t)});
    }
    void deliver_vote(pa::tag t, bool yes)
    {
        box.deliver(1, t, pa::wire::encode(pa::wire::vote{.yes = yes}));
        pa::test::run_dry(loop);
    }
    void deliver(pa::tag t, std::size_t size, int value = 1)
    {
        box.deliver(1, t, std::vector<std::byte>(size, static_cast<std::byte>(value)));
        pa::test::run_dry(loop);
    }

    pa::thread_loop loop;
    pa::mailbox box{window};
    std::string said;
    bool answers = true;
    std::uint64_t granted_in_all = window;
};

struct told_receive {
    told_receive(told_box& at, pa::tag t, std::size_t size)
        : into(size), work(take(at.box, t, into))
    {
        work.start(at.loop);
        pa::test::run_dry(at.loop);
    }
    static pa::task<std::size_t> take(pa::mailbox& box, pa::tag t, pa::mutable_bytes into)
    {
        co_return co_await box.take(1, t, into);
    }
    std::vector<std::byte> into;
    pa::task<std::size_t> work;
};

constexpr pa::tag first_tag{1}, second_tag{2};

pa::tag of_call(std::uint32_t call, pa::message_kind kind = pa::message_kind::result)
{
    return pa::make_tag({.call = call, .kind = kind});
}

}  // namespace

TEST_CASE("a receive asks for the message that waits for it, and each for one")
{
    told_box at;
    at.announce(1, first_tag, 10);
    at.announce(2, first_tag, 20);
    at.announce(3, second_tag, 30);
    CHECK(at.said.empty());
    told_receive first(at, first_tag, 100);
    CHECK(at.said == "1+1 ");
    told_receive second(at, first_tag, 100), third(at, first_tag, 100);
    CHECK(at.said == "1+1 1+2 ");
    at.announce(4, first_tag, 40);  // a receive waits for it
    CHECK(at.said == "1+1 1+2 1+4 ");
    for (const std::size_t size : {10u, 20u, 40u}) at.deliver(first_tag, size);
    CHECK(first.work.result() == 10);
    CHECK(third.work.result() == 40);
    CHECK(at.granted_in_all == window);  // what is asked for costs nothing
}

TEST_CASE("a message that waits, and is too large for its receive, fails it and need not come")
{
    told_box at;
    at.announce(1, first_tag, 11);
    at.announce(2, first_tag, 10);
    told_receive small(at, first_tag, 10);
    CHECK(at.said == "1-1 ");
    REQUIRE(small.work.finished());
    CHECK_THROWS_WITH(small.work.result(), Catch::Contains("11 bytes"));
    told_receive next(at, first_tag, 10);
    CHECK(at.said == "1-1 1+2 ");
    at.deliver(first_tag, 10);
    CHECK(next.work.result() == 10);
}

TEST_CASE("when a message that was asked for is withdrawn, the next is asked for")
{
    told_box at;
    told_receive waits(at, first_tag, 10);
    at.announce(1, first_tag, 10);
    at.announce(2, first_tag, 10);
    at.withdraw(1, first_tag);
    at.withdraw(7, first_tag);
    CHECK(at.said == "1+1 1+2 ");
}

TEST_CASE("a message that was asked for is kept when its receive is dropped, for the next one")
{
    told_box at;
    at.announce(1, first_tag, window);
    at.announce(2, first_tag, 10);
    {
        told_receive dropped(at, first_tag, window);
    }
    at.deliver(first_tag, window);
    CHECK(at.said == "1+1 ");
    CHECK(at.box.most_held() == early_cost(window));
    at.deliver(second_tag, window / 2);  // may still come
    told_receive next(at, first_tag, window);
    CHECK(next.work.result() == window);
    CHECK(at.said == "1+1 ");
    told_receive last(at, first_tag, window);
    CHECK(at.said == "1+1 1+2 ");
}

TEST_CASE("receives that are dropped one after another never make their messages unlawful")
{
    told_box at;
    at.announce(1, first_tag, 10);
    {
        told_receive dropped(at, first_tag, 10);
    }
    auto second = std::make_unique<told_receive>(at, first_tag, 10);  // is for the first message
    at.announce(2, first_tag, 10);
    told_receive third(at, first_tag, 10);
    CHECK(at.said == "1+1 1+2 ");
    second.reset();
    at.deliver(first_tag, 10);
    CHECK(third.work.finished());
    at.deliver(first_tag, 10);
    told_receive last(at, first_tag, 10);
    CHECK(last.work.finished());
}

TEST_CASE(
    "a message that goes early after it was announced is no other, and needs no other receive")
{
    told_box at;
    told_receive waits(at, first_tag, window);
    at.announce(1, first_tag, 1000);
    at.announce(2, first_tag, window);
    at.deliver(first_tag, 1000);
    CHECK(waits.work.result() == 1000);
    CHECK(at.said == "1+1 ");
    at.announce(3, second_tag, window / 2);
    at.deliver(second_tag, window / 2);  // goes early
    CHECK(at.said == "1+1 1-3 ");
    told_receive early(at, second_tag, window), later(at, second_tag, window);
    CHECK(early.work.finished());
    CHECK(at.said == "1+1 1-3 ");
    CHECK(at.granted_in_all == window + early_cost(window / 2));
    told_receive next(at, first_tag, window);
    CHECK(at.said == "1+1 1-3 1+2 ");
}

TEST_CASE("what was asked for and finds no receive is refused, unless one was dropped here")
{
    const bool dropped = GENERATE(true, false);
    told_box at;
    at.announce(1, first_tag, 2 * window);
    told_receive first(at, first_tag, 2 * window);
    {
        told_receive second(at, first_tag, 10);
        at.announce(2, first_tag, 10);
        if (!dropped) at.deliver(first_tag, 0);  // in place of the first
        if (!dropped) at.deliver(first_tag, 0);
    }
    CHECK(at.said == "1+1 1+2 ");
    if (!dropped) {
        CHECK_THROWS_AS(at.deliver(first_tag, 2 * window), std::system_error);
    } else {
        at.deliver(first_tag, 2 * window);
        CHECK(first.work.result() == 2 * window);
        CHECK(at.box.most_held() == 0);
        at.deliver(first_tag, 10);
    }
    CHECK(at.box.most_held() == (dropped ? early_cost(10) : 0));
}

TEST_CASE("a message that has gone early before it was found too large is discarded")
{
    told_box at;
    at.announce(1, first_tag, 11);
    at.announce(2, first_tag, 9);
    told_receive small(at, first_tag, 10), next(at, first_tag, 10);
    CHECK(at.said == "1-1 1+2 ");
    at.deliver(first_tag, 11);
    CHECK(!next.work.finished());
    at.deliver(first_tag, 9);
    CHECK(next.work.result() == 9);
    CHECK(at.box.most_held() == 0);
}

TEST_CASE("a message that was announced and is withdrawn is answered once")
{
    told_box at;
    at.announce(1, first_tag, 10);
    at.withdraw(1, first_tag);
    at.withdraw(1, first_tag);
    told_receive waits(at, first_tag, 10);
    CHECK(at.said == "1-1 ");
    at.announce(2, first_tag, 10);
    at.withdraw(2, first_tag);
    CHECK(at.said == "1-1 1+2 ");
}

TEST_CASE("a receive whose message is arriving asks for no other")
{
    told_box at;
    at.announce(1, first_tag, 10);
    pa::detail::inbound_message arriving(at.box, 1, first_tag, 5);
    told_receive waits(at, first_tag, 10);
    CHECK(at.said.empty());
    told_receive next(at, first_tag, 10);
    CHECK(at.said == "1+1 ");
    arriving.advance(5);
    arriving.finish();
    pa::test::run_dry(at.loop);
    CHECK(waits.work.finished());
    CHECK(!next.work.finished());
}

TEST_CASE("a window moves on as messages are taken, received at once or discarded")
{
    told_box at;
    at.deliver(first_tag, window / 3);
    CHECK(at.granted_in_all == window);
    {
        told_receive taken(at, first_tag, window);
        CHECK(taken.work.finished());
    }
    CHECK(at.granted_in_all == window + early_cost(window / 3));
    told_receive waits(at, second_tag, window);
    at.deliver(second_tag, window / 3);
    CHECK(at.granted_in_all == window + 2 * early_cost(window / 3));
    at.deliver(of_call(5), window / 3);
    at.box.discard_call(of_call(5));
    at.deliver(of_call(5), window / 3);
    CHECK(at.granted_in_all == window + 4 * early_cost(window / 3));
}

TEST_CASE("messages of a discarded call that wait need not come, nor do those announced later")
{
    told_box at;
    at.announce(1, of_call(5), 10);
    at.announce(2, of_call(6), 10);
    at.box.discard_call(of_call(5));
    CHECK(at.said == "1-1 ");
    at.announce(3, of_call(5), 10);
    CHECK(at.said == "1-1 1-3 ");
    told_receive other(at, of_call(6), 10);
    CHECK(at.said == "1-1 1-3 1+2 ");
}

TEST_CASE("of a call that its sender is through with nothing is kept but a no")
{
    told_box at;
    const auto vote = of_call(5, pa::message_kind::vote);
    at.deliver(of_call(5), window / 2);
    at.deliver(of_call(6), 100);
    at.deliver_vote(vote, false);
    at.box.deliver(2, of_call(5), std::vector<std::byte>(10));
    at.end_call(vote);
    CHECK(at.granted_in_all == window + early_cost(window / 2));
    told_receive lost(at, of_call(5), window), kept(at, vote, vote_size),
        other(at, of_call(6), 100);
    CHECK(!lost.work.finished());
    CHECK(kept.work.finished());
    CHECK(other.work.finished());
    const auto yes = of_call(7, pa::message_kind::vote);
    const bool with_weights = GENERATE(true, false);
    if (with_weights)
        at.deliver(yes, vote_size + 8);
    else
        at.deliver_vote(yes, true);
    at.end_call(yes);
    told_receive none(at, yes, vote_size + 8);
    CHECK(!none.work.finished());
}

TEST_CASE("of a call that its sender is through with an answer is kept, but no promise")
{
    told_box at;
    const auto view = of_call(5, pa::message_kind::view);
    const auto ended = of_call(5, pa::message_kind::answer);
    at.deliver(view, 100);
    at.deliver(ended, 20);
    at.end_call(view);
    told_receive lost(at, view, 100), kept(at, ended, 20);
    CHECK(!lost.work.finished());
    CHECK(kept.work.finished());
}

TEST_CASE("who asks about a call that has ended here is answered once, over each link")
{
    told_box at;
    const auto view = of_call(5, pa::message_kind::view);
    at.box.leave_answer(of_call(5), std::vector<std::byte>(20));
    at.deliver(view, 100);
    CHECK(at.said == "1=20 ");
    at.deliver(view, 100);
    at.announce(1, view, 100);
    CHECK(at.said == "1=20 1-1 ");
    CHECK(at.box.most_held() == 0);
    at.box.close(1, pa::errc::disconnected);
    at.deliver(view, 100);
    at.box.reopen(1);
    at.box.open(1, at, window);
    at.said.clear();
    at.announce(1, view, 100);
    CHECK(at.said == "1-1 1=20 ");
    at.box.begin_call(of_call(5));  // of a later group
    at.deliver(view, 100);
    CHECK(at.said == "1-1 1=20 ");
    told_receive again(at, view, 100);
    CHECK(again.work.finished());
}

TEST_CASE("an answer that cannot be sent is sent when the peer asks again")
{
    told_box at;
    const auto view = of_call(5, pa::message_kind::view);
    at.box.leave_answer(view, std::vector<std::byte>(20));
    at.answers = false;
    at.deliver(view, 100);
    at.answers = true;
    at.deliver(view, 100);
    CHECK(at.said == "1=20 1=20 ");
}

TEST_CASE("who has asked before the call ended here is answered then: early, half-way, announced")
{
    told_box at;
    const auto view = of_call(5, pa::message_kind::view);
    const auto later = pa::make_tag({.call = 5, .kind = pa::message_kind::result, .view = 1});
    const int came = GENERATE(0, 1, 2);
    at.deliver(later, 50);
    at.deliver(of_call(5), 30);
    if (came == 0) at.deliver(view, 100);
    if (came == 1) at.announce(1, view, 100);
    pa::detail::inbound_message half(at.box, 1, came == 2 ? view : of_call(6), 10);
    at.box.leave_answer(view, std::vector<std::byte>(20));
    half.advance(10);
    half.finish();
    CHECK(at.said == (came == 1 ? "1-1 1=20 " : "1=20 "));
    told_receive none(at, view, 100), late(at, later, 50), first(at, of_call(5), 30);
    CHECK(!none.work.finished());
    CHECK(!late.work.finished());
    CHECK(first.work.finished());  // what concerns view 0 stays, as after any success
}

TEST_CASE("whoever watches a call hears of a message about its views that no receive takes")
{
    told_box at;
    const auto kind = GENERATE(pa::message_kind::view, pa::message_kind::answer);
    const auto under = of_call(5, kind);
    pa::gate heard, other;
    at.box.watch_call(of_call(5), heard);
    at.box.watch_call(of_call(6), other);
    at.deliver(of_call(5), 10);
    at.deliver(of_call(5, pa::message_kind::vote), 10);
    at.announce(1, of_call(5), 10);
    told_receive takes(at, under, 100), asks(at, under, 100);
    at.deliver(under, 10);
    at.announce(2, under, 10);
    CHECK(at.said == "1+2 ");
    at.deliver(under, 10);
    CHECK_FALSE(heard.is_open());
    const bool waits = GENERATE(true, false);
    if (waits)
        at.announce(3, under, 10);
    else
        at.deliver(under, 10);
    CHECK(heard.is_open());
    CHECK_FALSE(other.is_open());
    at.box.unwatch_call(heard);
    at.box.unwatch_call(other);
    heard.close();
    at.deliver(of_call(5, pa::message_kind::view), 10);
    CHECK_FALSE(heard.is_open());
}

TEST_CASE("whoever begins to watch a call hears at once of what is here or waits")
{
    told_box at;
    const auto under = of_call(5, GENERATE(pa::message_kind::view, pa::message_kind::answer));
    const bool waits = GENERATE(true, false);
    const auto hears = [&] {
        pa::gate heard;
        at.box.watch_call(of_call(5), heard);
        at.box.unwatch_call(heard);
        return heard.is_open();
    };
    at.deliver(of_call(5), 10);
    at.deliver(of_call(6, pa::message_kind::view), 10);
    at.announce(1, of_call(5), 10);
    CHECK_FALSE(hears());
    if (waits)
        at.announce(2, under, 10);
    else
        at.deliver(under, 10);
    CHECK(hears());
    told_receive receive(at, under, 10);
    CHECK_FALSE(hears());
}

TEST_CASE("the noes of the last calls that a peer was through with are kept, and no more")
{
    told_box at;
    const auto vote = [](std::uint32_t call) { return of_call(call, pa::message_kind::vote); };
    for (std::uint32_t call = 1; call <= 20'000; ++call) {
        at.deliver_vote(vote(call), false);
        at.end_call(vote(call));
    }
    CHECK(at.box.most_held() <= 65 * early_cost(vote_size));
    told_receive gone(at, vote(19'936), vote_size), kept(at, vote(19'937), vote_size);
    CHECK(!gone.work.finished());
    CHECK(kept.work.finished());
}

TEST_CASE("of a call that failed here as well nothing is left for the try that has its tags next")
{
    told_box at;
    const auto vote = [](std::uint32_t call, std::uint32_t attempt = 0) {
        return pa::make_tag({.call = call, .kind = pa::message_kind::vote, .attempt = attempt});
    };
    const bool ends_first = GENERATE(true, false);
    if (ends_first) at.end_call(vote(5));
    at.box.discard_call(vote(5));
    if (!ends_first) at.end_call(vote(5));
    at.box.begin_call(vote(5, 8));
    at.deliver(vote(5), 40);  // of the sixteenth try after that
    for (std::uint32_t call = 6; call < 100; ++call) at.end_call(vote(call));
    told_receive next(at, vote(5), 40);
    CHECK(next.work.finished());
}

TEST_CASE(
    "of a call that succeeded here nothing is remembered that ends the try with its tags next")
{
    told_box at;
    const auto vote = [](std::uint32_t call, std::uint32_t attempt = 0) {
        return pa::make_tag({.call = call, .kind = pa::message_kind::vote, .attempt = attempt});
    };
    at.end_call(vote(5));
    at.box.begin_call(vote(5, 8));
    at.deliver(vote(5), 40);  // of the sixteenth try after that
    for (std::uint32_t call = 6; call < 100; ++call) at.end_call(vote(call));
    told_receive next(at, vote(5), 40);
    CHECK(next.work.finished());
}

TEST_CASE("with its link a peer's window ends, and another link begins with a new one")
{
    told_box at;
    at.announce(1, first_tag, 10);
    at.box.close(1, pa::errc::disconnected);
    at.announce(2, first_tag, 10);  // nobody hears it any more
    at.box.reopen(1);
    at.box.open(1, at, pa::wire::first_window);
    CHECK(at.granted_in_all == window);
    told_receive waits(at, first_tag, 10);
    CHECK(at.said.empty());
}

TEST_CASE("a peer that exceeds its window is refused, whether a receive waits or not")
{
    told_box at;
    at.announce(1, second_tag, 10);
    told_receive one_waits(at, first_tag, window), two_waits(at, second_tag, window);
    CHECK(at.said == "1+1 ");
    CHECK_THROWS_AS(at.deliver(first_tag, window), std::system_error);
    CHECK_THROWS_AS(at.deliver(second_tag, window), std::system_error);  // it asked for ten bytes
    CHECK_THROWS_AS(at.deliver(pa::tag{3}, window), std::system_error);
    CHECK_NOTHROW(at.deliver(first_tag, 10));
}
