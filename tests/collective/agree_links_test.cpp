// That calls measure links, that all peers plan by the same figures, and that it helps.

#include <papilio/collective/agree_links.hpp>

#include <papilio/codec/identity.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/plan/balance.hpp>
#include <papilio/plan/choice.hpp>
#include <papilio/transport/subset.hpp>

#include <support/clusters.hpp>
#include <support/seeds.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <optional>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::at;
using pa::test::sim_cluster;

namespace {

constexpr double megabit = 1e6 / 8;

/// Peers that average again and again, each time by the parts that follow from what they have seen.
struct swarm {
    swarm(std::uint64_t seed, const std::vector<double>& mbits, std::size_t elements,
          pa::duration latency = 3ms)
        : cluster(static_cast<int>(mbits.size()), {.seed = seed,
                                                   .latency = latency,
                                                   .jitter = latency * 2 / 3,
                                                   .each = accesses(mbits)}),
          in(elements, 1.5f),
          out(mbits.size(), std::vector<float>(elements)),
          seen(mbits.size()),
          tables(mbits.size()),
          reports(mbits.size())
    {
    }

    static std::vector<pa::sim::access> accesses(const std::vector<double>& mbits)
    {
        std::vector<pa::sim::access> each;
        for (const double rate : mbits) each.push_back({rate * megabit, rate * megabit});
        return each;
    }

    enum class plan { equal_parts, worthwhile_parts, all_that_pays };

    double call(bool adapts) { return call(adapts ? plan::worthwhile_parts : plan::equal_parts); }

    /// Seconds that a call takes, with what it takes to agree.
    double call(plan by)
    {
        const auto begun = cluster.world().now();
        cluster.run([&](auto& net) { return take_part(net, by); });
        for (const auto& t : tables) REQUIRE(t == tables[0]);
        for (const auto& o : out) REQUIRE(o == in);
        return std::chrono::duration<double>(cluster.world().now() - begun).count();
    }

    pa::task<> take_part(pa::sim::transport& net, plan by)
    {
        const auto me = at(net.rank());
        const auto mine = seen[me].tell(cluster.world().now().time_since_epoch());
        tables[me] = co_await pa::agree_links(net, mine);
        pa::schedule how;
        if (tables[me] && by == plan::worthwhile_parts)
            how.shares = pa::worthwhile_shares(tables[me]->access);
        if (tables[me] && by == plan::all_that_pays)
            how = pa::choose(*tables[me], {.bytes = in.size() * sizeof(float)}).how;
        pa::call_options o;
        o.radix = how.radix;
        o.shares = how.shares;
        o.chunk_bytes = how.chunk_bytes;
        o.in_flight = how.in_flight;
        reports[me] = co_await pa::all_reduce(net, in, out[me], pa::mean{}, pa::identity{}, o);
        const auto now = cluster.world().now().time_since_epoch();
        seen[me].note_call(reports[me].up, reports[me].down, now);
        const std::chrono::duration<double> there_and_back = *reports[me].round_trip;
        seen[me].note_latency(there_and_back.count() / 2, now);
    }

    sim_cluster cluster;
    std::vector<float> in;
    std::vector<std::vector<float>> out;
    std::vector<pa::link_history> seen;
    std::vector<std::optional<pa::link_table>> tables;
    std::vector<pa::report> reports;
};

}  // namespace

TEST_CASE("a call shows what each peer's link can carry, though a slow one holds all up")
{
    const auto seed = GENERATE(range(1, 4));
    const auto latency = GENERATE(pa::duration(3ms), pa::duration(20us));
    swarm peers(static_cast<std::uint64_t>(seed), {400, 200, 100, 50}, std::size_t{4} << 20,
                latency);
    peers.call(false);
    CHECK(peers.reports[0].up.bytes_per_second == Approx(400 * megabit).epsilon(0.05));
    CHECK(peers.reports[1].up.bytes_per_second == Approx(200 * megabit).epsilon(0.05));
    CHECK(peers.reports[2].up.bytes_per_second == Approx(100 * megabit).epsilon(0.05));
    CHECK(peers.reports[3].up.bytes_per_second == Approx(50 * megabit).epsilon(0.05));
    CHECK(peers.reports[0].up.busy < 0.3);
    CHECK(peers.reports[3].up.busy > 0.95);
    CHECK(peers.reports[3].down.bytes_per_second == Approx(50 * megabit).epsilon(0.05));
    CHECK(peers.reports[3].down.busy > 0.95);
}

TEST_CASE("the second call over unequal links is faster than the first")
{
    swarm peers(1, {400, 200, 100, 50}, std::size_t{4} << 20);
    const double equal_parts = peers.call(true);
    CHECK(peers.call(true) < 0.8 * equal_parts);
    CHECK(peers.call(true) < 0.75 * equal_parts);
}

TEST_CASE("to plan by what calls have shown does not make long links slower")
{
    swarm peers(1, {100, 100, 100, 100}, std::size_t{4} << 20, 50ms);
    const double unplanned = peers.call(swarm::plan::equal_parts);
    for (int i = 0; i < 4; ++i) CHECK(peers.call(swarm::plan::all_that_pays) < 1.05 * unplanned);
    CHECK(peers.tables[0]->latency_seconds == Approx(0.05));
    CHECK(peers.tables[0]->access[2].up == Approx(100 * megabit).epsilon(0.05));
}

TEST_CASE("after a link slows down the parts change, and calls get faster than with the old ones")
{
    const auto [first, last] = pa::test::seeds(8, 200);  // a quarter of a second each
    for (int seed = first; seed <= last; ++seed) {
        INFO(pa::test::again(seed, "after a link slows down*"));
        pa::random numbers(static_cast<std::uint64_t>(seed));
        std::vector<double> links;
        const auto n = 3 + numbers.below(4);
        for (std::size_t i = 0; i < n; ++i)
            links.push_back(150 + static_cast<double>(numbers.below(100)));
        const auto slow = numbers.below(n);
        const double slowed = 15 + static_cast<double>(numbers.below(20));

        const auto settled = [&](bool adapts) {
            swarm peers(static_cast<std::uint64_t>(seed), links, std::size_t{1} << 20);
            for (int i = 0; i < 4; ++i) peers.call(true);
            auto before = pa::worthwhile_shares(peers.tables[0]->access);
            before.resize(n, 1.0 / static_cast<double>(n));
            peers.cluster.world().reshape(static_cast<int>(slow),
                                          {slowed * megabit, slowed * megabit});
            for (int i = 0; i < 3; ++i) peers.call(adapts);
            const double time = peers.call(adapts);
            const auto after = pa::worthwhile_shares(peers.tables[0]->access);
            REQUIRE(after.size() == n);
            CHECK(after[slow] <= 0.5 * before[slow]);  // it may have had none before
            return time;
        };
        CHECK(settled(true) < 0.9 * settled(false));
    }
}

TEST_CASE("a link that was slow and is fast again gets its part back")
{
    swarm peers(2, {200, 200, 20, 200}, std::size_t{2} << 20);
    for (int i = 0; i < 3; ++i) peers.call(true);
    CHECK(pa::worthwhile_shares(peers.tables[0]->access).at(2) == 0);
    peers.cluster.world().reshape(2, {200 * megabit, 200 * megabit});
    for (int i = 0; i < 4; ++i) peers.call(true);
    CHECK(pa::worthwhile_shares(peers.tables[0]->access).empty());
}

TEST_CASE("equal links keep equal parts")
{
    swarm peers(3, {100, 100, 100, 100, 100}, std::size_t{1} << 20);
    for (int i = 0; i < 4; ++i) {
        peers.call(true);
        if (i > 0) CHECK(pa::worthwhile_shares(peers.tables[0]->access).empty());
    }
}

TEST_CASE("peers agree whatever their roles, and who only looks on is told, too")
{
    const std::vector<pa::role> roles{pa::role::observer, pa::role::full, pa::role::client,
                                      pa::role::auxiliary, pa::role::full};
    sim_cluster cluster(5);
    std::vector<std::optional<pa::link_table>> tables(5);
    cluster.run([&](auto& net) -> pa::task<> {
        const pa::advertised_link mine{10.0 * net.rank() + 1, 99, 0.001 * net.rank()};
        pa::call_options o;
        o.roles = roles;
        tables[at(net.rank())] = co_await pa::agree_links(net, mine, o);
    });
    REQUIRE(tables[0]);
    for (const auto& t : tables) CHECK(t == tables[0]);
    CHECK(tables[0]->access[1] == pa::access_rate{11, 99});
    CHECK(tables[0]->access[2] == pa::access_rate{21, 99});
    CHECK(tables[0]->access[4] == pa::access_rate{41, 99});
    CHECK(tables[0]->access[3] == pa::access_rate{21, 21});  // it contributes nothing
    CHECK(tables[0]->latency_seconds == Approx(0.004));
}

TEST_CASE("a peer that plans by another table is found out before any data is used")
{
    sim_cluster cluster(3);
    std::vector<float> in(3000, 1.0f);
    std::vector<std::vector<float>> out(3, std::vector<float>(3000));
    std::vector<std::error_code> failures(3);
    cluster.run([&](auto& net) -> pa::task<> {
        const std::vector<double> shares{net.rank() == 2 ? 2.0 : 1.0, 1.0, 1.0};
        try {
            co_await pa::all_reduce(net, in, out[at(net.rank())], pa::mean{}, pa::identity{},
                                    pa::call_options{.shares = shares, .chunk_bytes = 1024});
        } catch (const std::system_error& failure) {
            failures[at(net.rank())] = failure.code();
        }
    });
    for (const auto& f : failures) CHECK(f == pa::errc::mismatch);
}

TEST_CASE("agreement fails as an all-reduce does when a peer is lost")
{
    sim_cluster cluster(3);
    cluster.lose(1);
    int failed = 0;
    cluster.run([&](auto& net) -> pa::task<> {
        try {
            co_await pa::agree_links(net, {1, 1, 0}, pa::call_options{.timeout = 2s});
        } catch (const pa::call_error& failure) {
            CHECK(failure.culprit() == 1);
            ++failed;
        }
    });
    CHECK(failed == 2);
}

TEST_CASE("with salvage those who are left agree on links without a peer that is lost")
{
    const bool salvage = GENERATE(true, false);
    sim_cluster cluster(4, {.latency = 5ms});
    std::vector<std::optional<pa::link_table>> tables(4);
    const auto agree = [&](pa::sim::transport& net) -> pa::task<> {
        const double rate = (net.rank() + 1) * 100 * megabit;
        pa::call_options o;
        o.timeout = 10s;
        o.salvage = salvage;
        try {
            tables[at(net.rank())] = co_await pa::agree_links(net, {rate, rate, 0.005}, o);
        } catch (const pa::call_error&) {
            // It has no table.
        }
    };
    cluster.run([&](pa::sim::transport& net) -> pa::task<> {
        pa::task<> work = agree(net);
        if (net.rank() == 3) {
            co_await pa::sleep_for(1ms);
            cluster.world().kill(3);
        }
        co_await std::move(work);
    });
    for (std::size_t peer = 0; peer < 3; ++peer) {
        REQUIRE(tables[peer].has_value() == salvage);
        CHECK(tables[peer] == tables[0]);
        if (salvage) CHECK(tables[peer]->access[1].up == Approx(200 * megabit));
    }
}
