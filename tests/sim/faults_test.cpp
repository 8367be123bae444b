#include <papilio/sim/faults.hpp>

#include <papilio/sim/draw_schedule.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <system_error>

namespace sim = papilio::sim;
using namespace std::chrono_literals;

TEST_CASE("a schedule is a line that reads like what happens")
{
    const sim::schedule all{{1500us, sim::verb::stop, {2}, {}, 300ms},
                            {20ms, sim::verb::clog, {0, 1}, 5ms, {}},
                            {0ms, sim::verb::crash, {3}, {}, {}},
                            {1s, sim::verb::slow, {1}, 1250us, 2s},
                            {7ns, sim::verb::partition, {0, 3}, {}, 1ms}};
    CHECK(to_string(all) ==
          "1.5ms stop 2 for 300ms; 20ms clog 0,1 by 5ms; 0ms crash 3; "
          "1000ms slow 1 by 1.25ms for 2000ms; "
          "0.000007ms partition 0,3 for 1ms");
    CHECK(sim::parse_schedule(to_string(all), 4) == all);
    CHECK(sim::parse_schedule(" 1.5ms  stop 2 for 300000us;20ms clog 0,1 by 5ms;0s crash 3;"
                              "1s slow 1 by 1.25ms for 2s ; 7ns partition 0,3 for 1ms; ",
                              4) == all);
    CHECK(sim::parse_schedule("", 2).empty());
    CHECK(to_string(sim::schedule{}).empty());
}

TEST_CASE("every schedule that is drawn can be read back, and all verbs are drawn")
{
    std::set<sim::verb> seen;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        papilio::random draw(seed);
        const int peers = 2 + static_cast<int>(draw.below(11));
        const auto all = sim::draw_schedule(draw, {peers, 5, 300ms, 2s, 1});
        INFO(to_string(all));
        REQUIRE(all.size() == 6);
        CHECK(std::ranges::count(all, sim::verb::flip, &sim::fault::what) == 1);
        REQUIRE(sim::parse_schedule(to_string(all), peers) == all);
        for (const auto& f : all) {
            seen.insert(f.what);
            CHECK(f.at <= 300ms);
            CHECK(f.lasts <= 2s);
            CHECK((f.by > 0ms) == entry_of(f.what).by);
        }
    }
    CHECK(seen.size() == sim::verbs);
}

TEST_CASE("what is no schedule is refused, and the word that is wrong is named")
{
    const auto refused = [](const char* text, const char* why) {
        CHECK_THROWS_WITH(sim::parse_schedule(text, 4), Catch::Contains(why));
    };
    refused("soon crash 1", "has 'soon' where it wants a time such as 1.5ms");
    refused("5 crash 1", "has '5' where it wants a time");
    refused("1.2.3ms crash 1", "has '1.2.3ms'");
    refused("9e9s crash 1", "has '9e9s'");
    refused("99999999999s crash 1", "has '99999999999s'");
    refused("1ms explode 1", "has 'explode' where it wants one of crash, restart, stop, slow");
    refused("1ms crash 4", "has '4' where it wants ranks below 4");
    refused("1ms crash -1", "ranks below 4");
    refused("1ms crash", "has nothing where it wants ranks below 4");
    refused("1ms crash 1,2", "wants one rank");
    refused("1ms drop 1", "wants two ranks");
    refused("1ms drop 1,1", "wants each rank once");
    refused("1ms drop 1,", "ranks below 4");
    refused("1ms drop 1-2", "ranks such as 0,2");
    refused("1ms clog 1,2", "wants 'by' and a time");
    refused("1ms crash 1 by 2ms", "has 'by' where it wants no more");
    refused("1ms stop 1 for", "has nothing where it wants a time");
    refused("1ms crash 1; 2ms stop 1 for ever", "the fault '2ms stop 1 for ever' has 'ever'");
    CHECK_THROWS_AS(sim::parse_schedule("x", 4), std::system_error);
}
