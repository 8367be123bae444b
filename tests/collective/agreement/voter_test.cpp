// The voters of a call under random losses, over many seeds. PAPILIO_SEEDS says which; a failure
// prints the line that shows it again.

#include <papilio/collective/agreement/voter.hpp>

#include <collective/agreement/crowd.hpp>
#include <support/seeds.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using papilio::duration;
using papilio::errc;
using papilio::rank_set;
using papilio::role;
using papilio::test::crowd;
using papilio::test::crowd_options;

namespace {

crowd_options of_full_peers(int n, int seed = 1)
{
    return {.seed = static_cast<std::uint64_t>(seed),
            .roles = std::vector<role>(static_cast<std::size_t>(n), role::full)};
}

std::error_code end_of(const crowd& c, int peer)
{
    const auto& end = c.members().at(peer)->member.state().ended();
    REQUIRE(end);
    return end->why;
}

int most_views(const crowd& c)
{
    int most = 0;
    for (const auto& [me, m] : c.members()) most = std::max(most, m->member.views());
    return most;
}

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
    std::vector<Message> said()
    {
        std::vector<Message> all;
        for (const auto& p : state.take_parcels())
            if (const auto* message = std::get_if<Message>(&p.message)) all.push_back(*message);
        return all;
    }

    papilio::time_point now{};
    papilio::detail::voter state{shape(), 0, 7, 1.0, {now, 30s, 1ms}};
};

/// A crowd of any size and roles, and what befalls it.
class random_crowd {
public:
    explicit random_crowd(int seed) : random_(papilio::hash(std::uint64_t(seed), 7u))
    {
        crowd_options o;
        o.seed = static_cast<std::uint64_t>(seed);
        const int n = 2 + below(8);
        o.columns = static_cast<std::uint32_t>(1 + below(4));
        o.scatters = below(6) == 0;
        o.uniform = below(4) == 0;
        o.latency = std::chrono::milliseconds(1 + below(30));
        const bool mixed = below(3) == 0;
        for (int i = 0; i < n; ++i) {
            const int drawn = mixed && i > 0 ? below(6) : 0;
            o.roles.push_back(drawn == 1   ? role::client
                              : drawn == 2 ? role::auxiliary
                              : drawn == 3 ? role::observer
                                           : role::full);
        }
        all_full_ = std::ranges::count(o.roles, role::full) == n;
        crowd_.emplace(o);
        for (int left = below(6); left > 0; --left) lose_something(o);
    }

    crowd& get() { return *crowd_; }

    /// Nothing has befallen them.
    rank_set unharmed() const { return crowd_->call().who.all() - harmed_; }
    bool all_full() const { return all_full_; }

private:
    int below(int n) { return static_cast<int>(random_.below(static_cast<std::uint64_t>(n))); }

    int somebody()
    {
        auto at = crowd_->members().begin();
        std::advance(at, below(static_cast<int>(crowd_->members().size())));
        return at->first;
    }

    void lose_something(const crowd_options& o)
    {
        const int a = somebody(), b = somebody();
        auto when = duration(static_cast<duration::rep>(
            random_.below(static_cast<std::uint64_t>(3 * o.latency.count()))));
        if (below(3) == 0) when += std::chrono::milliseconds(below(600));
        harmed_.insert(a);
        const int what = below(5);
        if (what == 0) return crowd_->crash(a, when);
        if (what == 1) return crowd_->stop(a, when, std::chrono::milliseconds(50 + below(3000)));
        if (a == b) return;
        harmed_.insert(b);
        if (what == 2) return crowd_->cut(a, b, when);
        if (what == 3) return crowd_->close(a, b, when);
        crowd_->slow(a, b, when, std::chrono::milliseconds(100 + below(2000)));
    }

    papilio::random random_;
    std::optional<crowd> crowd_;
    rank_set harmed_;
    bool all_full_ = true;
};

}  // namespace

TEST_CASE("a call without a loss ends in view 0, with nothing said about views")
{
    crowd c(of_full_peers(4));
    c.run();
    CHECK(papilio::test::violation(c).empty());
    CHECK(most_views(c) == 1);
    for (const auto& [me, m] : c.members()) CHECK_FALSE(end_of(c, me));
}

TEST_CASE("all others succeed when a peer dies, whenever that is")
{
    for (int seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        crowd c(of_full_peers(4, seed));
        c.crash(seed % 4, std::chrono::milliseconds(seed % 20));
        c.run();
        CHECK(papilio::test::violation(c).empty());
        for (const auto& [me, m] : c.members())
            if (m->alive) CHECK_FALSE(end_of(c, me));
    }
}

TEST_CASE("of two peers none goes on alone")
{
    crowd c(of_full_peers(2));
    c.crash(1, 1ms);
    c.run();
    CHECK(end_of(c, 0) == errc::peer_failed);
}

TEST_CASE("a peer that stood still is left out, and learns it when it goes on")
{
    crowd c(of_full_peers(4));
    c.stop(2, 1ms, 5s);
    c.run();
    CHECK(papilio::test::violation(c).empty());
    CHECK(end_of(c, 2) == errc::left_out);
    for (const int other : {0, 1, 3}) CHECK_FALSE(end_of(c, other));
}

TEST_CASE("a single complaint takes its author out, and nobody else")
{
    crowd c(of_full_peers(4));
    c.cut(1, 3, 0ms);
    c.run();
    CHECK(papilio::test::violation(c).empty());
    CHECK(end_of(c, 3) == errc::left_out);
    for (const int other : {0, 1, 2}) CHECK_FALSE(end_of(c, other));
}

TEST_CASE("half of a group does not go on without the other half")
{
    crowd c(of_full_peers(4));
    for (const int a : {0, 1})
        for (const int b : {2, 3}) c.close(a, b, 1ms);
    c.run();
    for (const auto& [me, m] : c.members()) CHECK(end_of(c, me) == errc::peer_failed);
}

TEST_CASE("with uniform contributions a loss leaves one set of contributors")
{
    for (int seed = 1; seed <= 100; ++seed) {
        INFO("seed " << seed);
        auto o = of_full_peers(4, seed);
        o.uniform = true;
        o.columns = 4;
        crowd c(o);
        c.crash(3, std::chrono::milliseconds(seed % 15));
        c.run();
        CHECK(papilio::test::violation(c).empty());
        const auto& state = c.members().at(0)->member.state();
        CHECK(state.settlement_of(state.ended()->view).versions.size() == 1);
    }
}

TEST_CASE("a peer votes when it holds all, and not for an earlier view than it has promised")
{
    using papilio::detail::view_vote;
    first_of_three sound;
    sound.hold(2);
    CHECK(sound.said<view_vote>().empty());
    sound.hold(3);
    CHECK(sound.said<view_vote>().size() == 1);

    first_of_three changing;
    changing.hold(2);
    changing.state.complain(2, changing.now);
    changing.hold(3);
    CHECK(changing.said<view_vote>().empty());
}

TEST_CASE("a vote is void once the others have settled on something else")
{
    first_of_three t;
    t.hold(3);
    auto later = t.promise_of_1();
    later.view = 2;
    later.joined = later.voted = 1;
    t.state.take(1, later, t.now);
    CHECK(t.said<papilio::wire::promise>().back().voted == 0);

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
    CHECK(t.said<papilio::wire::promise>().back().voted == papilio::wire::no_view);
}

TEST_CASE("a chunk that is being written is in no version")
{
    first_of_three t;
    t.hold(3);
    t.state.overwrite(1, 0);
    t.state.complain(2, t.now);
    const auto promised = t.said<papilio::wire::promise>();
    REQUIRE(promised.size() == 1);
    CHECK(promised[0].voted == 0);
    CHECK(promised[0].held[0].size() == 1);
    CHECK(promised[0].held[1].empty());
}

TEST_CASE("a coordinator proposes when all others have promised or are given up, once")
{
    using papilio::wire::proposal;
    first_of_three t;
    t.state.complain(2, t.now);
    t.state.take(1, t.promise_of_1(), t.now);
    CHECK(t.said<proposal>().empty());  // peer 2 is missed by one of two
    t.state.take(1, t.promise_of_1({2}), t.now);
    const auto made = t.said<proposal>();
    REQUIRE(made.size() == 1);
    CHECK(made[0].members == rank_set{0, 1});
    t.state.take(1, t.promise_of_1({2}), t.now);
    CHECK(t.said<proposal>().empty());
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

TEST_CASE("a proposal by another peer than the view's coordinator is not joined")
{
    first_of_three t;
    t.state.complain(2, t.now);
    t.state.take(1, t.promise_of_1({2}), t.now);
    auto made = t.said<papilio::wire::proposal>().front();
    made.view = 3;  // the coordinator of view 3 is peer 2
    t.state.take(1, made, t.now);
    CHECK(t.state.view() == 1);
    CHECK(t.state.complaints().contains(1));
}

TEST_CASE("whatever is lost voters agree and end and fail only if too many are lost")
{
    const auto range = papilio::test::seeds(3000);
    int second = 0, third = 0;
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(papilio::test::again(seed, "whatever is lost*"));
        random_crowd c(seed);
        c.get().run();
        const auto wrong = papilio::test::violation(c.get());
        REQUIRE(wrong == "");
        second += most_views(c.get()) > 1;
        third += most_views(c.get()) > 2;
        if (!c.all_full() || !c.get().call().who.may_be_members(c.unharmed())) continue;
        for (const int peer : c.unharmed()) {
            INFO("peer " << peer);
            // One that alone complains about somebody who comes back is left out.
            const auto end = end_of(c.get(), peer);
            if (end != errc::left_out) REQUIRE_FALSE(end);
        }
    }
    if (range.last - range.first < 1000) return;
    const int all = range.last - range.first + 1;
    CHECK(second >= all * 3 / 10);
    CHECK(third >= all / 20);
}
