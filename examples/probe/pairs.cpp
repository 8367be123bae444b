#include "pairs.hpp"

#include <member/seconds.hpp>

#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/random_secret.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/probe/tournament.hpp>

#include <cstdio>
#include <utility>

namespace papilio::example {

namespace {

constexpr duration measurement_timeout = std::chrono::minutes(10);
constexpr std::size_t max_bytes = std::size_t{1} << 30;

}  // namespace

pair_measurement::pair_measurement(tcp::transport& net, const probe_options& o)
    : net_(net), options_(o), secret_(random_secret())
{
}

task<link_matrix> pair_measurement::run(subset<tcp::transport>& peers)
{
    loop& on = co_await this_loop{};
    const int me = peers.rank(), n = peers.size();
    for (int rank = 0; rank < n; ++rank)
        if (rank != me) serve(on, peers.member(rank));
    link_matrix links(static_cast<std::size_t>(n));
    for (int round = 0; round < tournament_rounds(n); ++round) {
        const int other = opponent(me, round, n);
        if (me < other) {
            co_await measure(peers.member(other), me, other, links);
        }
        // No peer starts a round before all have finished the previous one.
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

task<> pair_measurement::measure(int id, int me, int other, link_matrix& links)
{
    try {
        round_trip_options r;
        r.secret = secret_;
        r.count = options_.count;
        const auto trip = co_await measure_round_trip(net_, id, r);
        const auto rates = co_await measure_rates(id);
        links.note(static_cast<std::size_t>(me), static_cast<std::size_t>(other), trip, rates);
    } catch (const std::system_error& failure) {
        std::fprintf(stderr, "papilio-probe: peers %d and %d: not measured: %s\n", me, other,
                     failure.what());
    }
}

}  // namespace papilio::example
