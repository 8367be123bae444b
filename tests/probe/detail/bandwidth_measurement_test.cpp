#include <papilio/probe/detail/bandwidth_measurement.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;

TEST_CASE("a burst of another's traffic does not show in a sustained measurement", "[probe]")
{
    std::vector<pa::time_point> times;
    pa::time_point now{};
    for (int i = 0; i < 1000; ++i) {
        now += i > 500 && i < 600 ? 10ms : 1ms;
        times.push_back(now);
    }
    constexpr double rate = pa::detail::probe_chunk * 1000.0;
    CHECK(pa::detail::rate_of(times, 8) == Approx(rate));
    CHECK(pa::detail::rate_of(times, 1) < 0.6 * rate);
}
