#include "link_monitor.hpp"

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/random_secret.hpp>
#include <papilio/probe/round_trip.hpp>

#include <utility>
#include <vector>

namespace papilio::example {

namespace {

double mbit(double bytes_per_second)
{
    return bytes_per_second * 8 / 1e6;
}

}  // namespace

link_monitor::link_monitor(member_network& network, std::size_t probe_bytes)
    : network_(network), probe_bytes_(probe_bytes), secret_(random_secret())
{
}

void link_monitor::forget(std::uint16_t id)
{
    links_.erase(id);
    tried_.erase(id);
}

/// The connected miner that was measured longest ago, and not since the last round.
std::optional<std::uint16_t> link_monitor::next(const membership& run)
{
    std::optional<std::uint16_t> found;
    for (const auto& [id, m] : run.members()) {
        if (id == 0 || tried_[id] > run.round() || !network_.net().connected(id)) continue;
        if (!found || tried_[id] < tried_[*found]) found = id;
    }
    return found;
}

task<> link_monitor::run(const membership& run, gate& averaging)
{
    for (;;) {
        const auto id = next(run);
        if (!id || averaging.is_open()) {
            co_await sleep_for(std::chrono::milliseconds(100));
            continue;
        }
        const auto until = [](gate& g) -> task<> { co_await g.opened(); };
        co_await when_any(measure(*id, run.round()), until(averaging));
    }
}

task<> link_monitor::measure(std::uint16_t id, std::uint32_t round)
{
    try {
        round_trip_options r;
        r.secret = secret_;
        const auto trip = co_await measure_round_trip(network_.net(), id, r);
        bandwidth_options b;
        b.secret = secret_;
        b.bytes = probe_bytes_;
        const auto rate = co_await measure_bandwidth(network_.net(), id, b);
        links_[id] =
            link_figures{mbit(rate.up_bytes_per_second), mbit(rate.down_bytes_per_second),
                         std::chrono::duration<double, std::milli>(trip.p50).count(), round};
    } catch (const std::system_error&) {
        links_[id] = std::nullopt;
    }
    tried_[id] = round + 1;
}

}  // namespace papilio::example
