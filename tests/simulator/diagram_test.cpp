#include <sim/diagram.hpp>

#include <sim/run.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

using namespace papilio::example::simulator;
namespace sim = papilio::sim;
using namespace std::chrono_literals;

namespace {

scenario three_peers(const std::string& faults)
{
    scenario s;
    s.weights.assign(3, 1);
    s.begins.assign(3, 0ms);
    s.latency = 5ms;
    s.each.assign(3, {});
    s.faults = sim::parse_schedule(faults, 3);
    return s;
}

std::size_t count(std::string_view text, std::string_view part)
{
    std::size_t n = 0;
    for (auto i = text.find(part); i != text.npos; i = text.find(part, i + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("a diagram has a line for each peer and each message, and a number for each happening")
{
    const auto record = run(three_peers(""), true);
    REQUIRE(record.messages.size() >= 12);
    const auto svg = to_svg(record);
    CHECK(svg.find("<svg ") == 0);
    CHECK(svg.find("</svg>\n") == svg.size() - 7);
    CHECK(count(svg, ">peer ") == 3);
    CHECK(count(svg, "marker-end") == record.messages.size());
    CHECK(count(svg, "<circle ") == 6);  // three calls, three ends
    CHECK(svg.find("1:     0.000000 ms  peer 0 calls") != std::string::npos);
    CHECK(run(three_peers("")).messages.empty());
}

TEST_CASE("lost messages and long silence are dashed in a diagram, and text is escaped")
{
    const auto record = run(three_peers("0ms cut 0,1"), true);
    const auto svg = to_svg(record);
    const auto waiting = static_cast<std::size_t>(std::ranges::count_if(
        record.messages, [](const sim::carried_message& m) { return !m.arrived; }));
    CHECK(waiting > 0);
    CHECK(count(svg, "stroke-dasharray='4 3'") == waiting);
    CHECK(count(svg, "stroke-dasharray='3 3'") >= 3);  // 4 s until the call fails
    auto odd = record;
    odd.timeline.push_back({1ms, {0}, "1 < 2 & 3"});
    CHECK(to_svg(odd).find("1 &lt; 2 &amp; 3") != std::string::npos);
}
