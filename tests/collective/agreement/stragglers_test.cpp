#include <papilio/collective/agreement/stragglers.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using pa::message_kind;
using pa::detail::ledger;
using pa::detail::stragglers;
using namespace std::chrono_literals;

namespace {

/// Four peers, as the first sees it: each of the others sends 200 contributions and no results, one
/// each ten milliseconds; forty may be under way at a time.
class judged final : pa::detail::straggler_weights {
public:
    explicit judged(pa::duration patience, double weight = 1)
        : weight_(weight), slow_({.patience = patience, .bunch = 40, .weights = this})
    {
        for (const int peer : {1, 2, 3})
            slow_.watch({.rank = peer, .stage = 0, .contributions = 200, .results = 0});
    }

    /// Until `end` a message comes from each of `senders` every `gap`, and is reduced unless it
    /// waits for peer 3.
    void go_on(pa::time_point end, pa::duration gap, std::initializer_list<int> senders)
    {
        for (; now_ + gap <= end; now_ += gap) {
            for (const int peer : senders) {
                book_.came(peer, message_kind::contribution, now_ + gap);
                book_.reduced(peer);
            }
            slow_.look(now_ + gap, book_);
        }
    }

    /// One message of each, now.
    void come(std::initializer_list<int> senders)
    {
        for (const int peer : senders) {
            book_.came(peer, message_kind::contribution, now_);
            book_.reduced(peer);
        }
    }

    /// A message of a peer that waits for others'.
    void go_on_waiting(int peer) { book_.came(peer, message_kind::contribution, now_); }

    /// Peers 1 and 2 are ahead by as much as they may.
    void stall() { go_ahead(20); }

    /// By so many.
    void go_ahead(int messages)
    {
        for (int i = 0; i < messages; ++i)
            for (const int peer : {1, 2}) book_.came(peer, message_kind::contribution, now_);
    }

    void pause(pa::duration d)
    {
        now_ += d;
        slow_.pause(d, now_);
    }

    std::optional<pa::rank_set> at(pa::duration later)
    {
        slow_.look(now_ + later, book_);
        return slow_.not_worth_waiting_for(now_ + later, book_, 1ms, pa::time_point::max());
    }

    /// Who is not worth it when this peer has waited so long for the votes of `owing` alone.
    std::optional<pa::rank_set> voting_for(pa::duration waited, std::initializer_list<int> owing)
    {
        for (const int peer : owing) book_.expect(peer, message_kind::vote);
        return slow_.not_worth_waiting_for(now_ + waited, book_, 1ms, now_);
    }

    pa::rank_set suspects_at(pa::duration later)
    {
        slow_.look(now_ + later, book_);
        return slow_.suspects(now_ + later, book_, 1ms);
    }

private:
    double weight_of(int) const override { return weight_; }

    double weight_;
    stragglers slow_;
    ledger book_{4, {}, 60s};
    pa::time_point now_{};
};

}  // namespace

TEST_CASE("before some messages of those who have begun nobody is judged")
{
    judged call(1s);
    CHECK_FALSE(call.at(5s));
    call.go_on(pa::time_point(20ms), 10ms, {1, 2, 3});
    CHECK_FALSE(call.at(5s));
    call.go_on(pa::time_point(100ms), 10ms, {1, 2, 3});
    CHECK(call.at(0s));
}

TEST_CASE("whoever keeps a call waiting for longer than it is worth is not worth it")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.stall();
    CHECK(call.at(900ms) == pa::rank_set{});
    CHECK(call.at(1300ms) == pa::rank_set{3});
}

TEST_CASE("a unit of weight is worth so much, and no weight nothing")
{
    judged heavy(1s, 3);
    heavy.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    heavy.stall();
    CHECK(heavy.at(2900ms) == pa::rank_set{});
    CHECK(heavy.at(3300ms) == pa::rank_set{3});
    judged light(1s, 0);
    light.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    light.stall();
    CHECK(light.at(300ms) == pa::rank_set{3});
}

TEST_CASE("messages that drip do not help whoever sends them")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.stall();
    call.go_on(pa::time_point(1900ms), 300ms, {3});
    CHECK(call.at(10ms) == pa::rank_set{3});
}

TEST_CASE("a pause that is over is not expected again")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.stall();
    CHECK(call.at(500ms) == pa::rank_set{});
    call.go_on(pa::time_point(1500ms), 500ms, {3});
    call.go_on(pa::time_point(1600ms), 10ms, {3});
    CHECK(call.at(10ms) == pa::rank_set{});
}

TEST_CASE("whoever sends less while others send more costs nothing")
{
    judged call(100ms);
    call.go_on(pa::time_point(500ms), 10ms, {1, 2, 3});
    for (int i = 0; i < 10; ++i) {
        for (int k = 0; k < 6; ++k) call.come({1, 2});
        call.go_on(pa::time_point(540ms + i * 40ms), 40ms, {3});
    }
    call.stall();
    CHECK(call.at(0s) == pa::rank_set{});
    CHECK(call.at(400ms) == pa::rank_set{3});
}

TEST_CASE("a call that has just begun says nothing of how fast it is")
{
    judged call(1s);
    call.go_on(pa::time_point(40ms), 1ms, {1, 2, 3});
    call.go_on(pa::time_point(140ms), 10ms, {1, 2});
    call.stall();
    CHECK(call.at(600ms) == pa::rank_set{});
    CHECK(call.at(4s) == pa::rank_set{3});
}

TEST_CASE("beside the one that costs most nobody is named who costs less than half")
{
    judged call(100ms);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.go_on(pa::time_point(1900ms), 300ms, {3});  // which peer 2 waits for
    for (int i = 0; i < 20; ++i) call.go_on_waiting(1);
    CHECK(call.at(0s) == pa::rank_set{3});
}

TEST_CASE("whoever finds all others slow is slow itself")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    CHECK(call.at(5s) == pa::rank_set{});
}

TEST_CASE("whose vote does not come is named, unless most votes do not come")
{
    for (const int owing : {1, 2}) {
        judged call(1s);
        call.go_on(pa::time_point(2s), 10ms, {1, 2, 3});
        CHECK(call.voting_for(2900ms, {}) == pa::rank_set{});
        const auto found =
            owing == 1 ? call.voting_for(3100ms, {3}) : call.voting_for(3100ms, {2, 3});
        CHECK(found == (owing == 1 ? pa::rank_set{3} : pa::rank_set{}));
    }
}

TEST_CASE("who is not heard since others are not heard either is named if they may send no more")
{
    judged quiet(1s);
    quiet.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    quiet.go_ahead(10);
    CHECK(quiet.at(4s) == pa::rank_set{});
    judged full(1s);
    full.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    full.go_ahead(20);
    CHECK(full.at(4s) == pa::rank_set{3});
    judged heard(1s);
    heard.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    heard.go_on(pa::time_point(5s), 4s, {});
    heard.go_ahead(10);
    CHECK(heard.at(10ms) == pa::rank_set{3});
}

TEST_CASE("whoever is complained about costs half as much as it takes to complain first")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.stall();
    CHECK(call.suspects_at(400ms) == pa::rank_set{});
    CHECK(call.suspects_at(700ms) == pa::rank_set{3});
    CHECK(call.at(700ms) == pa::rank_set{});
}

TEST_CASE("a call that was slow from the begin has no straggler")
{
    judged call(100ms);
    call.go_on(pa::time_point(40s), 400ms, {1, 2, 3});
    CHECK(call.at(400ms) == pa::rank_set{});
}

TEST_CASE("a process that stood still finds nobody slow for that")
{
    judged call(1s);
    call.go_on(pa::time_point(1s), 10ms, {1, 2, 3});
    call.stall();
    call.pause(20s);
    CHECK(call.at(500ms) == pa::rank_set{});
}

TEST_CASE("long calls are remembered in outline")
{
    judged call(1s);
    call.go_on(pa::time_point(1900ms), 10ms, {1, 2, 3});
    for (int i = 0; i < 1000; ++i) CHECK(call.at(0s) == pa::rank_set{});
    call.stall();
    CHECK(call.at(2s) == pa::rank_set{3});
}
