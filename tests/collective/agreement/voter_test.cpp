#include <papilio/collective/agreement/voter.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::errc;
using papilio::rank_set;
using papilio::role;
using papilio::detail::parcel;

namespace {

/// Peer 0 of three, whose parts have one column each, as it is told what happens.
struct first_of_three {
    static papilio::detail::call_shape shape()
    {
        return {papilio::detail::voters(std::vector<role>(3, role::full), {0, 1, 2}),
                {3, 3, 1},
                std::vector<rank_set>(3, rank_set{0, 1, 2}),
                false};
    }

    void hold(int parts, std::uint8_t version = 0)
    {
        for (int part = 0; part < parts; ++part)
            state.hold(static_cast<std::size_t>(part), 0, version);
    }

    /// What peer 1 promises for view 1, holding nothing.
    papilio::wire::promise promise_of_1(const rank_set& complaints = {}) const
    {
        papilio::wire::promise p;
        p.call = 7;
        p.complaints = complaints;
        p.weights = {papilio::wire::unknown_weight, 1, papilio::wire::unknown_weight};
        p.versions = {{0, {0, 1, 2}}};
        p.held.resize(3);
        return p;
    }

    /// What it has said since the last time of this kind.
    template <class Message>
    std::vector<Message> said(std::optional<Message> parcel::*kind)
    {
        std::vector<Message> all;
        for (const auto& p : state.take_parcels())
            if (p.*kind) all.push_back(*(p.*kind));
        return all;
    }

    papilio::time_point now{};
    papilio::detail::voter state{shape(), 0, 7, 1.0, {now, 30s, 1ms}};
};

}  // namespace

TEST_CASE("a peer votes when it holds all, and not for an earlier view than it has promised")
{
    first_of_three sound;
    sound.hold(2);
    CHECK(sound.said(&parcel::vote).empty());
    sound.hold(3);
    CHECK(sound.said(&parcel::vote).size() == 1);

    first_of_three changing;
    changing.hold(2);
    changing.state.complain(2, changing.now);
    changing.hold(3);
    CHECK(changing.said(&parcel::vote).empty());
}

TEST_CASE("a vote is void once the others have settled on something else")
{
    first_of_three t;
    t.hold(3);
    auto later = t.promise_of_1();
    later.view = 2;
    later.joined = later.voted = 1;
    t.state.take(1, later, t.now);
    CHECK(t.said(&parcel::promise).back().voted == 0);

    papilio::wire::proposal made;
    made.view = 2;
    made.adopted = 1;
    made.call = 7;
    made.members = {0, 1, 2};
    made.complaints.resize(3);
    made.weights = {1, 1, 1};
    made.versions = {{1, {1, 2}}};
    made.runs.assign(3, {{0, 1, 1, 1, {0}}});
    t.state.take(1, made, t.now);
    CHECK(t.state.view() == 2);
    t.state.complain(2, t.now);
    CHECK(t.said(&parcel::promise).back().voted == papilio::wire::no_view);
}

TEST_CASE("who votes for a part that nobody else needs hears from the others how it ended")
{
    auto shape = first_of_three::shape();
    shape.needed_by = {{0}, {1}, {2}};
    papilio::detail::voter state(shape, 0, 7, 1.0, {papilio::time_point{}, 30s, 1ms});
    state.hold(0, 0, 0);  // and votes
    papilio::wire::proposal made;
    made.view = 2;
    made.adopted = 0;
    made.call = 7;
    made.members = {1, 2};
    made.complaints = {{}, {0}, {0}};
    made.weights = {1, 1, 1};
    made.versions = {{0, {0, 1, 2}}};
    made.runs = {{}, {{0, 1, 0, 1, {}}}, {{0, 1, 0, 2, {}}}};
    state.take(1, made, papilio::time_point{});
    CHECK_FALSE(state.ended());
    const auto digest = papilio::checksum(papilio::wire::encode(made));
    for (const int member : {1, 2})
        state.take(member, papilio::wire::view_vote{2, 7, digest}, papilio::time_point{});
    REQUIRE(state.ended());
    CHECK_FALSE(state.ended()->why);
}

TEST_CASE("who gathers forgets the part that the others go on without, and its vote for it")
{
    auto shape = first_of_three::shape();
    shape.gathers = true;
    papilio::detail::voter state(shape, 0, 7, 1.0, {papilio::time_point{}, 30s, 1ms});
    for (const std::size_t part : {0, 1, 2}) state.hold(part, 0, 0);
    CHECK(state.voted() == 0);
    papilio::wire::proposal made;
    made.view = 2;
    made.call = 7;
    made.members = {1, 2};
    made.complaints = {{}, {0}, {0}};
    made.weights = {1, 1, 1};
    made.versions = {{0, {0, 1, 2}}};
    made.runs = {{}, {{0, 1, 0, 1, {2}}}, {{0, 1, 0, 2, {1}}}};
    state.take(1, made, papilio::time_point{});
    CHECK_FALSE(state.ended());
    CHECK_FALSE(state.voted());
    CHECK(state.holds().at(0, 0) == papilio::wire::no_view);
    CHECK(state.holds().at(1, 0) == 0);
    const auto digest = papilio::checksum(papilio::wire::encode(made));
    for (const int member : {1, 2})
        state.take(member, papilio::wire::view_vote{2, 7, digest}, papilio::time_point{});
    REQUIRE(state.ended());
    CHECK_FALSE(state.ended()->why);
}

TEST_CASE("who proposes to go on without a part whose owner is there is complained about")
{
    auto shape = first_of_three::shape();
    shape.gathers = true;
    papilio::wire::proposal made;
    made.call = 7;
    made.view = 2;
    made.members = {0, 1};
    made.complaints = {{2}, {2}, {}};
    made.weights = {1, 1, 1};
    made.versions = {{0, {0, 1, 2}}};
    const std::vector<papilio::wire::proposed_run> from_0{{0, 1, 0, 0, {1}}},
        from_1{{0, 1, 0, 1, {0}}}, anew{{0, 1, 2, -1, {0, 1}}};
    const auto complains = [&](std::vector<std::vector<papilio::wire::proposed_run>> runs) {
        papilio::detail::voter state(shape, 0, 7, 1.0, {papilio::time_point{}, 30s, 1ms});
        state.hold(0, 0, 0);
        state.complain(2, papilio::time_point{});
        made.runs = std::move(runs);
        auto asks = first_of_three{}.promise_of_1({2});
        asks.view = 2;
        state.take(1, asks, papilio::time_point{});
        state.take(1, made, papilio::time_point{});
        return state.complaints().contains(1);
    };
    CHECK_FALSE(complains({from_0, from_1, {}}));
    CHECK(complains({from_0, {}, {}}));
    CHECK(complains({{}, from_1, {}}));
    CHECK(complains({from_0, from_1, anew}));
}

TEST_CASE("a reducer votes after a client, though it is the only one among the members")
{
    const std::vector<role> roles{role::full, role::full, role::client, role::client};
    const rank_set all = rank_set::of_all(4);
    const papilio::detail::call_shape shape{
        papilio::detail::voters(roles, all), {4, 4, 1}, {all, all, {}, {}}, false};
    const papilio::time_point now{};
    papilio::detail::voter state(shape, 0, 7, 1.0, {now, 30s, 1ms});
    papilio::wire::proposal made;
    made.view = 2;
    made.call = 7;
    made.members = {0, 1, 2};
    made.complaints = {{}, {3}, {}, {}};
    made.weights.assign(4, 1);
    made.versions = {{2, {0, 1, 2}}};
    made.runs = {{{0, 1, 2, -1, {0, 1, 2}}}, {{0, 1, 2, -1, {0, 1, 2}}}, {}, {}};
    state.complain(3, now);
    made.complaints[0] = {3};
    papilio::wire::promise later;
    later.view = 2;
    later.call = 7;
    later.weights.assign(4, 1);
    later.held.resize(4);
    state.take(1, later, now);
    state.take(1, made, now);
    REQUIRE(state.view() == 2);
    state.hold(0, 0, 2);
    state.hold(1, 0, 2);
    const auto votes = [&] {
        return std::ranges::count_if(state.take_parcels(),
                                     [](const auto& p) { return p.vote.has_value(); });
    };
    CHECK(votes() == 0);
    const auto digest = papilio::checksum(papilio::wire::encode(made));
    state.take(2, papilio::wire::view_vote{2, 7, digest}, now);
    CHECK(votes() == 1);
}

TEST_CASE("a chunk that is being written is in no version")
{
    first_of_three t;
    t.hold(2);
    t.state.overwrite(1, 0);
    t.state.complain(2, t.now);
    const auto promised = t.said(&parcel::promise);
    REQUIRE(promised.size() == 1);
    CHECK(promised[0].held[0].size() == 1);
    CHECK(promised[0].held[1].empty());
}

TEST_CASE("whose vote counts never fails for certain")
{
    first_of_three t;
    t.hold(3);
    t.state.withdraw(make_error_code(errc::not_finite), 0);
    REQUIRE(t.state.ended());
    CHECK(t.state.ended()->why == errc::outcome_unknown);

    first_of_three before;
    before.state.withdraw(make_error_code(errc::not_finite), 0);
    CHECK(before.state.ended()->why == errc::not_finite);
}

TEST_CASE("reducers vote though all clients are lost")
{
    const std::vector<role> roles{role::full, role::full, role::full, role::client, role::client};
    const rank_set all = rank_set::of_all(5);
    const papilio::detail::call_shape shape{
        papilio::detail::voters(roles, all), {5, 5, 1}, {all, all, all, {}, {}}, false};
    const papilio::time_point now{};
    papilio::detail::voter state(shape, 0, 7, 1.0, {now, 30s, 1ms});
    for (const int client : {3, 4}) state.complain(client, now);
    for (const int other : {1, 2}) {
        papilio::wire::promise p;
        p.call = 7;
        p.complaints = {3, 4};
        p.weights.assign(5, 1);
        p.held.resize(5);
        state.take(other, p, now);
    }
    REQUIRE(state.view() == 1);
    state.take_parcels();
    for (std::size_t part = 0; part < 3; ++part) state.hold(part, 0, 1);
    const auto said = state.take_parcels();
    REQUIRE(said.size() == 1);
    CHECK(said[0].vote);
}

TEST_CASE("who is not met has no say")
{
    auto shape = first_of_three::shape();
    shape.who = papilio::detail::voters(
        std::vector{role::full, role::full, role::full, role::observer}, {0, 1, 2});
    shape.extent = {4, 4, 1};
    shape.needed_by.emplace_back();
    const papilio::time_point now{};
    papilio::detail::voter state(shape, 0, 7, 1.0, {now, 30s, 1ms});
    papilio::wire::answer done;
    done.what = papilio::wire::ending::done;
    done.settlement = 7;
    state.take(3, done, now);
    papilio::wire::promise promise;
    promise.call = 7;
    promise.weights.assign(4, 1);
    promise.held.resize(4);
    state.take(3, promise, now);
    state.complain(3, now);
    CHECK_FALSE(state.ended());
    CHECK(state.complaints().empty());
    CHECK(state.take_parcels().empty());
}

TEST_CASE("done about a view that was passed over is success for whoever holds what it settled on")
{
    for (const bool holds : {true, false}) {
        first_of_three t;
        t.hold(holds ? 3 : 2);
        papilio::wire::answer done;
        done.what = papilio::wire::ending::done;
        done.view = 1;
        papilio::wire::proposal made;
        made.call = 7;
        made.adopted = 0;
        made.members = {1, 2};
        made.complaints.resize(3);
        made.weights = {1, 1, 1};
        made.versions = {{0, {0, 1, 2}}};
        made.runs.assign(3, {{0, 1, 0, 1, {}}});
        done.settlement = papilio::checksum(papilio::wire::encode(made));
        done.decided = made;
        t.state.take(1, done, t.now);
        REQUIRE(t.state.ended());
        CHECK(t.state.ended()->why ==
              (holds ? std::error_code{} : make_error_code(errc::left_out)));
    }
}

TEST_CASE("a proposal that does not suit what a peer holds, or lacks a part, is not joined")
{
    const auto joins = [](auto change) {
        first_of_three t;
        t.hold(1);
        papilio::wire::promise later = t.promise_of_1();
        later.view = 2;
        t.state.take(1, later, t.now);
        papilio::wire::proposal made;
        made.view = 2;
        made.call = 7;
        made.members = {0, 1, 2};
        made.complaints.resize(3);
        made.weights = {1, 1, 1};
        made.versions = {{0, {0, 1, 2}}, {2, {0, 1, 2}}};
        made.runs = {{{0, 1, 0, 0, {1, 2}}}, {{0, 1, 0, 1, {0, 2}}}, {{0, 1, 2, -1, {0, 1, 2}}}};
        change(made);
        t.state.take(1, made, t.now);
        return t.state.view() == 2;
    };
    CHECK(joins([](auto&) {}));
    CHECK_FALSE(joins([](auto& p) { p.runs[1][0].source = 0; }));     // which does not hold it
    CHECK_FALSE(joins([](auto& p) { p.runs[1][0].lacking = {2}; }));  // as if 0 had it
    CHECK_FALSE(joins([](auto& p) { p.runs[2].clear(); }));
    CHECK_FALSE(joins([](auto& p) {
        p.runs[0][0].source = 1;
        p.runs[0][0].lacking = {0, 2};  // which 0 holds
    }));
    CHECK_FALSE(joins([](auto& p) { p.runs[2][0].lacking = {1, 2}; }));
}

TEST_CASE("a coordinator proposes when all others have promised or are given up, once")
{
    first_of_three t;
    t.state.complain(2, t.now);
    t.state.take(1, t.promise_of_1(), t.now);
    CHECK(t.said(&parcel::proposal).empty());  // peer 2 is missed by one of two
    t.state.take(1, t.promise_of_1({2}), t.now);
    const auto made = t.said(&parcel::proposal);
    REQUIRE(made.size() == 1);
    CHECK(made[0].members == rank_set{0, 1});
    t.state.take(1, t.promise_of_1({2}), t.now);
    CHECK(t.said(&parcel::proposal).empty());
    CHECK(t.state.view() == 1);
    CHECK(t.state.moves());
}

TEST_CASE("whoever is told two weights of a peer withdraws and names it")
{
    first_of_three t;
    t.state.weigh(1, 2);
    t.state.complain(2, t.now);
    t.state.take(1, t.promise_of_1({2}), t.now);
    REQUIRE(t.state.ended());
    CHECK(t.state.ended()->why == errc::mismatch);
    CHECK(t.state.ended()->culprit == 1);
}

TEST_CASE("whoever has promised what another call is about is complained about")
{
    first_of_three t;
    auto other = t.promise_of_1();
    other.call = 8;
    t.state.take(1, other, t.now);
    CHECK(t.state.complaints() == rank_set{1});
}

TEST_CASE("whoever votes for what another call has settled on is complained about")
{
    first_of_three t;
    t.state.take(1, papilio::wire::view_vote{1, 8, 9}, t.now);
    t.state.take(2, papilio::wire::view_vote{1, 7, 9}, t.now);
    CHECK(t.state.complaints() == rank_set{1});
}

TEST_CASE("a proposal by another peer than the view's coordinator is not joined")
{
    first_of_three t;
    t.state.complain(2, t.now);
    t.state.take(1, t.promise_of_1({2}), t.now);
    auto made = t.said(&parcel::proposal).front();
    made.view = 3;  // the coordinator of view 3 is peer 2
    t.state.take(1, made, t.now);
    CHECK(t.state.view() == 1);
    CHECK(t.state.complaints().contains(1));
}

TEST_CASE("who has promised an earlier view alone is complained about, too")
{
    first_of_three t;
    t.state.take(2, t.promise_of_1(), t.now);
    auto later = t.promise_of_1();
    later.view = 2;
    t.state.take(1, later, t.now);
    CHECK(t.state.promised() == 2);
    for (int i = 0; i < 3; ++i) t.state.wake(t.state.next_wake());
    CHECK(t.state.complaints() == rank_set{2});
}

TEST_CASE("a view that does not end is left without a complaint")
{
    first_of_three p;
    p.state.leave(p.now);
    CHECK(p.state.promised() == 1);
    p.state.leave(p.now);
    CHECK(p.state.promised() == 1);
    const auto said = p.said(&parcel::promise);
    REQUIRE(said.size() == 1);
    CHECK(said.front().complaints.empty());
}

TEST_CASE("who is in conflict stays out when nobody has complained for a while")
{
    first_of_three p;  // whose first view has 50 ms
    p.state.leave(p.now);
    p.state.take(1, p.promise_of_1(), p.now + 1ms);
    auto of_2 = p.promise_of_1({1});
    of_2.weights = {papilio::wire::unknown_weight, papilio::wire::unknown_weight, 1};
    p.state.take(2, of_2, p.now + 10ms);
    p.state.wake(p.now + 13ms);
    CHECK(p.said(&parcel::proposal).empty());
    p.state.wake(p.now + 23ms);
    const auto proposed = p.said(&parcel::proposal);
    REQUIRE(proposed.size() == 1);
    CHECK(proposed.front().members == rank_set{0, 1});
}

TEST_CASE("whoever misses somebody alone does not coordinate a view in which it would wait in vain")
{
    first_of_three p;
    p.state.leave(p.now);
    p.state.take(1, p.promise_of_1(), p.now);
    p.state.wake(p.now + 25ms);
    CHECK(p.state.complaints() == rank_set{2});
    p.state.wake(p.now + 50ms);
    CHECK(p.state.promised() == 2);
    auto of_1 = p.promise_of_1();
    of_1.view = 2;
    p.state.take(1, of_1, p.now + 51ms);
    p.state.wake(p.now + 150ms);
    CHECK(p.state.promised() == 5);  // 3 is that of the peer it misses, and 4 its own
}

TEST_CASE("who coordinates without a peer waits a quarter of the view for others to miss it, too")
{
    for (const bool missed_by_1 : {true, false}) {
        CAPTURE(missed_by_1);
        first_of_three p;  // whose first view has 50 ms
        p.state.leave(p.now);
        p.state.take(1, p.promise_of_1(), p.now);
        p.state.lose(2, p.now + 1ms);
        p.state.wake(p.now + 14ms);
        p.state.wake(p.now + 25ms);  // when those who are absent are complained about: 2 is already
        p.state.wake(p.now + 37ms);
        CHECK(p.state.promised() == 1);
        if (missed_by_1) p.state.take(1, p.promise_of_1({2}), p.now + 37ms);
        p.state.wake(p.now + 38ms);
        CHECK(p.said(&parcel::proposal).size() == (missed_by_1 ? 1 : 0));
        CHECK(p.state.promised() == (missed_by_1 ? 1 : 2));
    }
}

TEST_CASE("who is called to coordinate, and has missed somebody before, does not wait for long")
{
    first_of_three p;
    p.state.lose(2, p.now);
    REQUIRE(p.state.promised() == 2);
    auto of_1 = p.promise_of_1();
    of_1.view = 4;  // which is this peer's own, and has 400 ms
    p.state.take(1, of_1, p.now);
    REQUIRE(p.state.promised() == 4);
    p.state.wake(p.now + 99ms);
    CHECK(p.state.promised() == 4);
    p.state.wake(p.now + 101ms);
    CHECK(p.state.promised() == 5);
}

TEST_CASE("whoever has missed a promise for a while complains with the first that does")
{
    for (const auto when : {9ms, 10ms}) {
        first_of_three p;  // whose first view has 50 ms, of which 3/16 are a while
        p.state.leave(p.now);
        p.state.take(1, p.promise_of_1({2}), p.now + when);
        CHECK(p.state.complaints().contains(2) == (when == 10ms));
    }
    first_of_three waits;
    waits.state.leave(waits.now);
    waits.state.take(1, waits.promise_of_1({2}), waits.now + 1ms);
    CHECK(waits.state.complaints().empty());
    waits.state.wake(waits.now + 10ms);
    CHECK(waits.state.complaints() == rank_set{2});
    first_of_three heard;
    heard.state.leave(heard.now);
    heard.state.take(2, heard.promise_of_1(), heard.now + 1ms);
    heard.state.take(1, heard.promise_of_1({2}), heard.now + 20ms);
    CHECK(heard.state.complaints().empty());
}

TEST_CASE("whoever was missed for a promise alone is no more when it is a member of the view")
{
    for (const bool for_its_promise : {true, false}) {
        CAPTURE(for_its_promise);
        first_of_three p;
        auto of_1 = p.promise_of_1();
        of_1.view = 2;  // which peer 1 coordinates
        p.state.take(1, of_1, p.now);
        if (for_its_promise)
            p.state.wake(p.now + 50ms);  // half of the time of a second view
        else
            p.state.complain(2, p.now + 50ms);
        CHECK(p.state.complaints() == rank_set{2});

        papilio::wire::proposal all;
        all.view = 2;
        all.call = 7;
        all.members = {0, 1, 2};
        all.complaints.resize(3);
        all.weights.assign(3, 1);
        all.versions = {{2, {0, 1, 2}}};
        all.runs.assign(3, {{0, 1, 2, -1, {0, 1, 2}}});
        p.state.take(1, all, p.now + 51ms);
        CHECK(p.state.view() == 2);
        CHECK(p.state.moves() == for_its_promise);
        CHECK(p.state.complaints().empty() == for_its_promise);
    }
}

TEST_CASE("what a process has promised goes with it")
{
    first_of_three p;
    p.state.leave(p.now);
    auto of_2 = p.promise_of_1();
    of_2.weights = {papilio::wire::unknown_weight, papilio::wire::unknown_weight, 1};
    p.state.take(2, of_2, p.now);
    p.state.lose(2, p.now + 1ms);
    p.state.take(1, p.promise_of_1(), p.now + 2ms);
    p.state.wake(p.now + 20ms);  // long enough for a conflict of two that are there
    CHECK(p.said(&parcel::proposal).empty());
    p.state.take(1, p.promise_of_1({2}), p.now + 21ms);
    const auto proposed = p.said(&parcel::proposal);
    REQUIRE(proposed.size() == 1);
    CHECK(proposed.front().members == rank_set{0, 1});
}

namespace {

/// Peer 0 of three, in view 1, whose result is what `holds` says.
struct with_result final : papilio::detail::result_reader {
    explicit with_result(bool votes_in_0)
    {
        t.state.read_result(this);
        t.hold(votes_in_0 ? 3 : 2);
        t.state.leave(t.now);
        auto promise = t.promise_of_1();
        promise.held.assign(3, {{0, 1, 0}});
        t.state.take(1, promise, t.now);
        promise.weights = {papilio::wire::unknown_weight, papilio::wire::unknown_weight, 1};
        t.state.take(2, promise, t.now);
        if (!votes_in_0) t.state.hold(2, 0, 0);
        sent = t.said(&parcel::vote);
    }

    void vote(int from, std::uint64_t result)
    {
        const auto settlement = papilio::checksum(papilio::wire::encode(t.state.settlement()));
        t.state.take(from, papilio::wire::view_vote{1, 7, settlement, result}, t.now);
    }

    std::uint64_t digest_of(const papilio::detail::chunk_versions&) const override { return 5; }

    first_of_three t;
    std::vector<papilio::wire::view_vote> sent;
};

}  // namespace

TEST_CASE("a vote of a later view tells of the result, and who agrees on it succeeds")
{
    with_result peer(false);
    REQUIRE(peer.t.state.view() == 1);
    REQUIRE(peer.sent.size() == 1);
    CHECK(peer.sent[0].result == 5);
    peer.vote(1, 5);
    CHECK_FALSE(peer.t.state.ended());
    peer.vote(2, 0);  // it has not told
    REQUIRE(peer.t.state.ended());
    CHECK_FALSE(peer.t.state.ended()->why);
    CHECK(peer.t.state.answer().result == 5);
}

TEST_CASE("members that hold different results do not succeed, and name the odd one")
{
    for (const int odd : {0, 1, 2}) {
        with_result peer(false);
        peer.vote(1, odd == 0 ? 6 : odd == 1 ? 7 : 5);
        CHECK_FALSE(peer.t.state.ended());
        peer.vote(2, odd == 0 ? 6 : odd == 2 ? 7 : 5);
        REQUIRE(peer.t.state.ended());
        CHECK(peer.t.state.ended()->why == errc::corrupted);
        CHECK(peer.t.state.ended()->culprit == odd);
    }
}

TEST_CASE("whose earlier vote counts cannot tell how a call ends that is corrupted later")
{
    with_result peer(true);
    peer.vote(1, 5);
    peer.vote(2, 7);
    REQUIRE(peer.t.state.ended());
    CHECK(peer.t.state.ended()->why == errc::outcome_unknown);
    CHECK(peer.t.state.ended()->culprit == 2);
}

TEST_CASE("votes of view 0 that differ end a call for certain in a later view, too")
{
    with_result peer(false);
    peer.t.state.differ_in_first(2);
    CHECK(peer.t.state.ended()->why == errc::outcome_unknown);  // it has voted in view 1

    first_of_three t;
    t.hold(3);
    t.state.leave(t.now);
    t.state.differ_in_first(2);
    CHECK(t.state.ended()->why == errc::corrupted);
    CHECK(t.state.ended()->culprit == 2);
}

TEST_CASE("who is told that others are done with another result than it holds has not succeeded")
{
    for (const std::uint64_t result : {0, 5, 6}) {
        with_result peer(false);
        papilio::wire::answer done{.what = papilio::wire::ending::done, .view = 1};
        done.decided = peer.t.state.settlement();
        done.settlement = papilio::checksum(papilio::wire::encode(*done.decided));
        done.result = result;
        peer.t.state.take(1, done, peer.t.now);
        REQUIRE(peer.t.state.ended());
        CHECK(peer.t.state.ended()->why ==
              (result == 6 ? make_error_code(errc::outcome_unknown) : std::error_code{}));
        if (result == 6) CHECK(peer.t.state.ended()->culprit == 0);
    }
}

TEST_CASE("who holds another result of view 0 than its votes tell has not succeeded in it")
{
    for (const std::uint64_t own : {0, 5, 6}) {
        first_of_three t;
        t.state.note_first_result(own);
        t.hold(3);
        for (const int peer : {1, 2})
            t.state.take(peer, papilio::wire::view_vote{0, 7, 7, 5}, t.now);
        REQUIRE(t.state.ended());
        CHECK(t.state.ended()->why ==
              (own == 6 ? make_error_code(errc::corrupted) : std::error_code{}));
        if (own == 6) CHECK(t.state.ended()->culprit == 0);
        if (own != 6) CHECK(t.state.answer().result == 5);

        first_of_three told;
        told.state.note_first_result(own);
        told.hold(3);
        const papilio::wire::answer done{
            .what = papilio::wire::ending::done, .view = 0, .settlement = 7, .result = 5};
        told.state.take(1, done, told.now);
        REQUIRE(told.state.ended());
        CHECK(!told.state.ended()->why == (own != 6));
    }
}
