#include <sim/survivors.hpp>

#include <papilio/sim/faults.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace papilio::example::simulator;
using namespace std::chrono_literals;

namespace {

/// Five full peers.
scenario five(const std::string& faults)
{
    scenario s;
    s.peers = 5;
    s.elements = 1024;
    s.salvage = true;
    s.weights.assign(5, 1);
    s.latency = 5ms;
    s.jitter = 10ms;
    s.each.assign(5, {0x1p20, 2e6});
    s.faults = papilio::sim::parse_schedule(faults, 5);
    return s;
}

}  // namespace

TEST_CASE("whom no fault names has to succeed, in a majority of full peers that contribute")
{
    CHECK(survivors(five("1ms cut 0,3")) == std::vector{1, 2, 4});
    CHECK(survivors(five("1ms cut 0,3; 2ms crash 3")) == std::vector{1, 2, 4});
    CHECK(survivors(five("1ms cut 0,3; 2ms crash 4")).empty());
    CHECK(survivors(five("")).empty());
    CHECK(survivors(five("1ms cut 0,3; 2ms flip 0,3")).empty());
    auto s = five("1ms crash 2");
    s.weights = {0, 0, 1, 0, 0};
    CHECK(survivors(s).empty());
    s = five("1ms crash 2");
    s.salvage = false;
    CHECK(survivors(s).empty());
    s = five("1ms crash 2");
    s.roles.assign(5, papilio::role::full);
    CHECK(survivors(s).empty());
}

TEST_CASE(
    "the timeout holds 32 of the longest ways for each fault, and for each peer that one names")
{
    auto s = five("1ms crash 2");
    CHECK(longest_way(s) == 5ms + 10ms + 15625us);  // 8 bytes for each element, up and down
    s.timeout = 32 * 30625us;
    CHECK(survivors(s).size() == 4);
    s.timeout -= 1ms;
    CHECK(survivors(s).empty());
    s = five("1ms crash 2; 2ms crash 2");
    s.timeout = 2 * 32 * 30625us - 1ms;
    CHECK(survivors(s).empty());
    s = five("1ms partition 2,3");
    s.timeout = 2 * 32 * 30625us;
    CHECK(survivors(s).size() == 3);
    s.timeout -= 1ms;
    CHECK(survivors(s).empty());
}
