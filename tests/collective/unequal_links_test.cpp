// How near to the bound an all-reduce comes over links that differ, in virtual time.

#include <papilio/collective/all_reduce.hpp>

#include <papilio/plan/balance.hpp>
#include <papilio/plan/choice.hpp>
#include <papilio/plan/lower_bound.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <cmath>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// The bound's share of the time that 16 MiB take among peers with these rates, in Mbit/s, when
/// their parts are as large as `shares` says.
double eta(const std::vector<pa::access_rate>& mbit, const std::vector<double>& shares,
           pa::duration latency = 500us)
{
    pa::link_table links;
    std::vector<pa::sim::access> each;
    for (const auto& rate : mbit) {
        links.access.push_back({rate.up * 1e6 / 8, rate.down * 1e6 / 8});
        each.push_back({links.access.back().up, links.access.back().down});
    }
    links.latency_seconds = std::chrono::duration<double>(latency).count();
    const std::size_t count = std::size_t{4} << 20;
    const int n = static_cast<int>(mbit.size());
    pa::test::sim_cluster cluster(n, {.latency = latency, .each = each});
    std::vector<float> in(count, 1.5f);
    std::vector<std::vector<float>> out(mbit.size(), std::vector<float>(count));
    cluster.run([&](auto& net) -> pa::task<> {
        co_await pa::all_reduce(net, in, out[static_cast<std::size_t>(net.rank())], pa::sum{},
                                pa::identity{}, pa::call_options{.shares = shares});
    });
    const std::chrono::duration<double> took = cluster.world().now().time_since_epoch();
    return pa::lower_bound_seconds(links, count * sizeof(float)) / took.count();
}

double balanced_eta(const std::vector<pa::access_rate>& mbit, pa::duration latency = 500us)
{
    return eta(mbit, pa::balanced_shares(mbit), latency);
}

}  // namespace

TEST_CASE("an all-reduce over equal links comes close to the bound")
{
    CHECK(balanced_eta(std::vector<pa::access_rate>(4, {200, 200})) > 0.95);
}

TEST_CASE("an all-reduce over unequal links comes close to the bound, with parts to suit them")
{
    const std::vector<pa::access_rate> four{{400, 400}, {200, 200}, {100, 100}, {50, 50}};
    CHECK(balanced_eta(four) > 0.92);
    CHECK(eta(four, {}) < 0.7);
    CHECK(balanced_eta({{400, 400}, {400, 400}, {40, 400}, {400, 400}}) > 0.9);
    CHECK(balanced_eta({{400, 400}, {300, 300}, {250, 250}, {200, 200}, {200, 200}}) > 0.88);
}

TEST_CASE("an all-reduce comes as close to the bound where few messages are on the way at first")
{
    CHECK(balanced_eta(std::vector<pa::access_rate>(4, {200, 200}), 20us) > 0.95);
    CHECK(balanced_eta(std::vector<pa::access_rate>(4, {20'000, 20'000}), 20us) > 0.9);
    CHECK(balanced_eta({{400, 400}, {200, 200}, {100, 100}, {50, 50}}, 20us) > 0.92);
}

TEST_CASE("a call takes as long as the cost model expects, by any butterfly and by its choice")
{
    struct network {
        std::vector<double> mbit;
        pa::duration latency;
    };
    const auto net =
        GENERATE(network{{200, 200, 200, 200}, 1ms}, network{{200, 200, 200, 200}, 20ms},
                 network{{400, 200, 100, 50}, 1ms}, network{{400, 400, 40, 400}, 20ms},
                 network{{100, 80, 60, 90, 70, 100}, 5ms});
    pa::link_table links{.latency_seconds = std::chrono::duration<double>(net.latency).count()};
    std::vector<pa::sim::access> each;
    for (const double rate : net.mbit) {
        links.access.push_back({rate * 1e6 / 8, rate * 1e6 / 8});
        each.push_back({rate * 1e6 / 8, rate * 1e6 / 8});
    }
    const std::size_t count = std::size_t{2} << 20;
    const int n = static_cast<int>(each.size());
    const pa::workload work{.bytes = count * sizeof(float)};
    const std::vector<float> in(count, 1);
    std::vector<std::vector<float>> out(each.size(), in);
    const auto taken = [&](const pa::schedule& how) {
        pa::test::sim_cluster cluster(n, {.latency = net.latency, .each = each});
        cluster.run([&](auto& peer) -> pa::task<> {
            const pa::call_options o{.shares = how.shares,
                                     .radix = how.radix,
                                     .chunk_bytes = how.chunk_bytes,
                                     .in_flight = how.in_flight};
            co_await pa::all_reduce(peer, in, out[static_cast<std::size_t>(peer.rank())], pa::sum{},
                                    pa::identity{}, o);
        });
        return std::chrono::duration<double>(cluster.world().now().time_since_epoch()).count();
    };
    double best = HUGE_VAL;
    for (const auto& radix : pa::radix_vectors(n)) {
        CAPTURE(net.mbit, radix);
        const auto c = pa::choose(links, work, {.radix = radix});
        const double time = taken(c.how);
        best = std::min(best, time);
        CHECK(c.expected.seconds == Approx(time).epsilon(0.15));
    }
    CHECK(taken(pa::choose(links, work).how) <= 1.1 * best);
}
