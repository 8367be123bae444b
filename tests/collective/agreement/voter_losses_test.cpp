// The voters of a call under losses, chosen and random, over many seeds. PAPILIO_SEEDS says which;
// a failure prints the line that shows it again.

#include <papilio/collective/agreement/voter.hpp>

#include <collective/agreement/crowd.hpp>
#include <collective/agreement/random_losses.hpp>
#include <support/seeds.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
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

/// A crowd of any size and roles, and what befalls it; or one of full peers in a call that gathers.
class random_crowd {
public:
    explicit random_crowd(int seed, bool gathers = false)
        : random_(papilio::hash(std::uint64_t(seed), 7u))
    {
        crowd_options o;
        o.seed = static_cast<std::uint64_t>(seed);
        const int n = 2 + below(8);
        o.columns = static_cast<std::uint32_t>(1 + below(4));
        o.scatters = below(6) == 0;
        o.uniform = below(4) == 0 && !o.scatters;  // else it may have to fail
        o.latency = std::chrono::milliseconds(1 + below(30));
        o.gathers = gathers;
        o.scatters = o.scatters && !gathers;
        o.uniform = o.uniform && !gathers;
        const bool mixed = below(3) == 0 && !gathers;
        for (int i = 0; i < n; ++i) {
            const int drawn = mixed && i > 0 ? below(6) : 0;
            o.roles.push_back(drawn == 1   ? role::client
                              : drawn == 2 ? role::auxiliary
                              : drawn == 3 ? role::observer
                                           : role::full);
        }
        all_full_ = std::ranges::count(o.roles, role::full) == n;
        crowd_.emplace(o);
        for (int left = below(6); left > 0; --left)
            harmed_ = harmed_ | papilio::test::lose_something(*crowd_, o, random_);
    }

    crowd& get() { return *crowd_; }

    /// Nothing has befallen them.
    rank_set unharmed() const { return crowd_->call().who.all() - harmed_; }
    bool all_full() const { return all_full_; }

private:
    int below(int n) { return papilio::test::below(random_, n); }

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
        REQUIRE_FALSE(end_of(c, 0));
        CHECK(state.decided().versions.size() == 1);
    }
}

TEST_CASE("crowds that have shown a fault before end well")
{
    for (const int seed : {12507, 13104, 73117, 192772}) {
        INFO("seed " << seed);
        random_crowd c(seed);
        c.get().run();
        CHECK(papilio::test::violation(c.get()).empty());
        for (const int peer : c.unharmed())
            if (c.all_full()) CHECK_FALSE(end_of(c.get(), peer));
    }
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

TEST_CASE("whatever is lost all who gather have the same parts and all those of who is left")
{
    const auto range = papilio::test::seeds(2000);
    int second = 0, whole = 0, left_out = 0;
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(papilio::test::again(seed, "whatever is lost all who gather*"));
        random_crowd c(seed, true);
        c.get().run();
        const auto wrong = papilio::test::violation(c.get());
        REQUIRE(wrong == "");
        second += most_views(c.get()) > 1;
        for (const auto& [me, m] : c.get().members()) {
            const auto& state = m->member.state();
            if (!state.ended() || state.ended()->why || state.decided().view == 0) continue;
            const auto& decided = state.decided();
            for (const int peer : c.get().call().who.all()) {
                const bool has = papilio::test::has_part(m->member, static_cast<std::size_t>(peer));
                if (decided.members.contains(peer) && decided.adopted == papilio::wire::no_view)
                    REQUIRE(has);
                if (!decided.members.contains(peer)) (has ? whole : left_out) += 1;
            }
        }
        if (!c.get().call().who.may_be_members(c.unharmed())) continue;
        for (const int peer : c.unharmed()) {
            INFO("peer " << peer);
            const auto end = end_of(c.get(), peer);
            if (end != errc::left_out) REQUIRE_FALSE(end);
        }
    }
    if (range.last - range.first < 1000) return;
    CHECK(second >= (range.last - range.first) / 6);
    CHECK(whole > 0);
    CHECK(left_out > 0);
}
