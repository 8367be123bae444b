#include <papilio/sim/shrink.hpp>

#include <papilio/sim/draw_schedule.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>

namespace sim = papilio::sim;
using namespace std::chrono_literals;

namespace {

bool has(const sim::schedule& all, sim::verb what, int rank)
{
    return std::ranges::any_of(all, [&](const sim::fault& f) {
        return f.what == what && std::ranges::find(f.peers, rank) != f.peers.end();
    });
}

}  // namespace

TEST_CASE("what does not matter for a failure is left out of its schedule")
{
    const auto all = sim::parse_schedule(
        "3.217ms stop 2 for 300ms; 7ms crash 0; 20.77ms clog 0,1 by 5ms; 21ms crash 3", 4);
    const auto two = [](const sim::schedule& s) {
        return has(s, sim::verb::stop, 2) && has(s, sim::verb::crash, 3);
    };
    const auto smallest = sim::shrink(all, two);
    CHECK(to_string(smallest) == "0ms stop 2 for 0.001ms; 0ms crash 3");
}

TEST_CASE("what matters of a fault is kept, in few digits")
{
    const auto all =
        sim::parse_schedule("123.456789ms partition 0,1,3 for 987.654ms; 1ms clog 0,1 by 77ms", 4);
    const auto late_and_long = [](const sim::schedule& s) {
        return std::ranges::any_of(s, [](const sim::fault& f) {
            return f.what == sim::verb::partition && f.at >= 120ms && f.lasts >= 400ms &&
                   std::ranges::find(f.peers, 3) != f.peers.end();
        });
    };
    CHECK(to_string(sim::shrink(all, late_and_long)) == "120ms partition 3 for 400ms");
}

TEST_CASE("a schedule shrinks to one that fails, however it was drawn, within the tries")
{
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        papilio::random draw(seed);
        const auto all = sim::draw_schedule(draw, {5, 5, 100ms, 1s});
        const auto what = all[draw.below(5)].what;
        int asked = 0;
        const auto fails = [&](const sim::schedule& s) {
            ++asked;
            return std::ranges::any_of(s, [&](const sim::fault& f) { return f.what == what; });
        };
        const auto smallest = sim::shrink(all, fails);
        CHECK(smallest.size() == 1);
        CHECK(fails(smallest));
        CHECK(asked < 200);
        asked = 0;
        CHECK(fails(sim::shrink(all, fails, 3)));
        CHECK(asked <= 4);
    }
}

TEST_CASE("a failure without faults shrinks to none")
{
    const auto always = [](const sim::schedule&) { return true; };
    CHECK(sim::shrink(sim::parse_schedule("1ms crash 0; 2ms crash 1", 2), always).empty());
    CHECK(sim::shrink({}, always).empty());
}
