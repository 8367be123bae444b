#include "pairs.hpp"

#include <member/random_secret.hpp>
#include <member/seconds.hpp>

#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>

#include <cstdio>
#include <utility>

namespace papilio::example {

namespace {

constexpr duration measurement_timeout = std::chrono::minutes(10);
constexpr std::size_t max_bytes = std::size_t{1} << 30;

}  // namespace

std::size_t partner(std::size_t peer, std::size_t turn, std::size_t peers)
{
    // The circle method of a round-robin tournament (T. P. Kirkman, 1847). All peers but the last
    // are on a circle and are paired across it; the last one gets the peer that is left. With an
    // odd number all are on the circle, and the peer that is left rests.
    const auto circle = peers % 2 == 0 ? peers - 1 : peers;
    if (turn >= circle) return peer;
    if (peer == circle) {
        for (std::size_t i = 0; i < circle; ++i)
            if (2 * i % circle == turn) return i;
    }
    const auto across = (turn + circle - peer) % circle;
    if (across != peer) return across;
    return peers % 2 == 0 ? circle : peer;
}

pair_measurement::pair_measurement(tcp::transport& net, const probe_options& o)
    : net_(net), options_(o), secret_(random_secret())
{
}

task<link_matrix> pair_measurement::run(subset<tcp::transport>& peers)
{
    loop& on = co_await this_loop{};
    const auto me = static_cast<std::size_t>(peers.rank());
    const auto n = static_cast<std::size_t>(peers.size());
    for (std::size_t rank = 0; rank < n; ++rank)
        if (rank != me) serve(on, peers.member(static_cast<int>(rank)));
    link_matrix links(n);
    for (std::size_t turn = 0; turn < n; ++turn) {
        const auto other = partner(me, turn, n);
        if (me < other) {
            co_await measure(peers.member(static_cast<int>(other)), me, other, links);
        }
        // No peer starts a turn before all have finished the previous one.
        call_options o;
        o.timeout = std::chrono::minutes(30);
        co_await barrier(peers, o);
    }
    const std::vector<double> mine(links.numbers().begin(), links.numbers().end());
    co_await all_reduce(peers, mine, links.numbers(), sum{}, identity{});
    co_return links;
}

void pair_measurement::serve(loop& on, int id)
{
    bandwidth_limits limits;
    limits.bytes = max_bytes;
    limits.timeout = measurement_timeout;
    serving_.push_back(serve_echo(net_, id));
    serving_.back().start(on);
    serving_.push_back(serve_bandwidth(net_, id, limits));
    serving_.back().start(on);
}

task<bandwidth> pair_measurement::measure_rates(int id)
{
    if (options_.seconds > 0) {
        sustained_options s;
        s.secret = secret_;
        s.each_way = seconds_long(options_.seconds);
        s.duplex = s.each_way / 3;
        s.max_bytes = max_bytes;
        s.timeout = measurement_timeout;
        co_return co_await measure_sustained(net_, id, s);
    }
    bandwidth_options b;
    b.secret = secret_;
    b.bytes = static_cast<std::size_t>(options_.mib * 1024 * 1024);
    b.timeout = measurement_timeout;
    co_return co_await measure_bandwidth(net_, id, b);
}

task<> pair_measurement::measure(int id, std::size_t me, std::size_t other, link_matrix& links)
{
    try {
        round_trip_options r;
        r.secret = secret_;
        r.count = options_.count;
        const auto trip = co_await measure_round_trip(net_, id, r);
        const auto rates = co_await measure_rates(id);
        links.note(me, other, trip, rates);
    } catch (const std::system_error& failure) {
        std::fprintf(stderr, "papilio-probe: peers %zu and %zu: not measured: %s\n", me, other,
                     failure.what());
    }
}

}  // namespace papilio::example
