#include <papilio/collective/agreement/cost_forecast.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace pa = papilio;
using pa::detail::arrival_history;
using pa::detail::data_partner;
using namespace std::chrono_literals;

namespace {

const std::vector<data_partner> two_partners{
    {.rank = 1, .stage = 0, .contributions = 200, .results = 0},
    {.rank = 2, .stage = 0, .contributions = 200, .results = 0}};

}  // namespace

TEST_CASE("a call is not taken for as fast as in a moment that was too short")
{
    arrival_history history;
    for (std::uint32_t i = 1; i <= 51; ++i) history.note(pa::time_point((i - 1) * 1ms), {i, i});
    for (std::uint32_t i = 1; i <= 10; ++i)
        history.note(pa::time_point(50ms + i * 10ms), {51 + i, 51 + i});
    const auto now = history.last().when;
    const auto forecast_by = [&](double least_seen) {
        return pa::detail::forecast({history, two_partners, 40}, 1, now, now, least_seen);
    };
    // 278 messages are left; 60 had come in 30 ms, and all 120 in 150 ms.
    CHECK(forecast_by(0).without == Approx(278 * 0.5e-3));
    CHECK(forecast_by(0.5).without == Approx(278 * 1.25e-3));
}

TEST_CASE("whoever keeps a call waiting is expected to do so for as long again")
{
    arrival_history history;
    for (std::uint32_t i = 1; i <= 101; ++i) history.note(pa::time_point((i - 1) * 10ms), {i, i});
    const auto last = history.last().when;
    const auto in_step = pa::detail::forecast({history, two_partners, 2}, 1, last, last, 0.1);
    CHECK(in_step.lost == Approx(0).margin(0.02));
    const auto late = pa::detail::forecast({history, two_partners, 2}, 1, last, last + 2s, 0.1);
    CHECK(late.saved - in_step.saved == Approx(2));
    CHECK(late.lost == Approx(2).margin(0.02));
}
