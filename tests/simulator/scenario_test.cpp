#include <sim/scenario.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>

using namespace papilio::example::simulator;
using papilio::role;
using namespace std::chrono_literals;

TEST_CASE("a scenario follows from its seed, and scenarios differ")
{
    std::set<std::string> texts;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const auto s = draw_scenario(seed);
        const auto text = to_string(s) + papilio::sim::to_string(s.faults);
        CHECK(text ==
              to_string(draw_scenario(seed)) + papilio::sim::to_string(draw_scenario(seed).faults));
        texts.insert(text);
    }
    CHECK(texts.size() == 100);
}

TEST_CASE("every scenario is one that a call accepts, and whose call has the time that it needs")
{
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        INFO("seed " << seed);
        const auto s = draw_scenario(seed);
        const auto n = static_cast<std::size_t>(s.peers);
        REQUIRE((s.peers >= 2 && s.peers <= 12));
        REQUIRE(s.weights.size() == n);
        REQUIRE(s.begins.size() == n);
        REQUIRE(s.each.size() == n);
        REQUIRE((s.roles.empty() || s.roles.size() == n));
        REQUIRE((s.roles.empty() || std::ranges::count(s.roles, role::full) > 0));
        REQUIRE((s.roles.empty() || s.radix.empty()));
        REQUIRE((s.roles.empty() || s.call == collective::all_reduce));
        REQUIRE((s.elements >= 1 || s.call == collective::barrier));
        REQUIRE((s.root >= 0 && s.root < s.peers));
        REQUIRE((s.radix.empty() || std::accumulate(s.radix.begin(), s.radix.end(), 1,
                                                    std::multiplies<>()) == s.peers));
        REQUIRE(s.faults.size() <= 7);
        for (const auto& f : s.faults) REQUIRE(f.at < s.timeout);
        REQUIRE(std::ranges::max(s.begins) < 20ms);
    }
}

TEST_CASE("scenarios come in all kinds, most of them as in practice")
{
    int in_place = 0, staged = 0, with_roles = 0, zero = 0, integers = 0, chunked = 0, calm = 0;
    int usual = 0, salvage = 0, flips = 0;
    std::set<coding> codecs;
    std::map<collective, int> calls;
    std::set<std::size_t> faults;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        const auto s = draw_scenario(seed);
        in_place += s.in_place ? 1 : 0;
        staged += s.radix.size() > 1 ? 1 : 0;
        with_roles += s.roles.empty() ? 0 : 1;
        zero += std::ranges::count(s.weights, 0.0) > 0 ? 1 : 0;
        integers += s.integers ? 1 : 0;
        chunked += s.chunk_bytes > 0 && s.elements * 4 > 4 * s.chunk_bytes ? 1 : 0;
        calm += s.faults.empty() ? 1 : 0;
        salvage += s.salvage ? 1 : 0;
        usual += s.peers >= 3 && s.peers <= 6 ? 1 : 0;
        codecs.insert(s.codec);
        ++calls[s.call];
        faults.insert(s.faults.size());
        flips +=
            std::ranges::count(s.faults, papilio::sim::verb::flip, &papilio::sim::fault::what) > 0;
    }
    CHECK(in_place > 600);
    CHECK(staged > 50);
    CHECK(with_roles > 300);
    CHECK(zero > 300);
    CHECK(integers > 100);
    CHECK(chunked > 100);
    CHECK(calm > 200);
    CHECK(usual > 1400);
    CHECK((salvage > 900 && salvage < 1100));
    CHECK(codecs.size() == 3);
    CHECK(calls.size() == 5);
    for (const auto& [call, count] : calls) CHECK(count > 100);
    CHECK(calls[collective::all_reduce] > 1000);
    CHECK(faults.size() == 8);  // none to five, and up to two flips
    CHECK((flips > 150 && flips < 350));
}

TEST_CASE("what travels unchanged is whole numbers, so that a sum is exact in any order")
{
    auto s = draw_scenario(1);
    s.elements = 1000;
    s.codec = coding::identity;
    s.weighted = false;
    for (const double x : input_of(s, 0)) CHECK((x == std::floor(x) && std::abs(x) <= 1000));
    CHECK(input_of(s, 0) == input_of(s, 0));
    CHECK(input_of(s, 0) != input_of(s, 1));
    s.codec = coding::int8b;
    CHECK(std::ranges::any_of(input_of(s, 0), [](double x) { return x != std::floor(x); }));
}
