#include <papilio/probe/round_trip.hpp>

#include <papilio/transport/detail/request.hpp>
#include <papilio/transport/tcp.hpp>

#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>
#include <support/collected_log.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;

namespace {

constexpr pa::secret_key echo_secret{{1, 2, 3, 4}};

/// Peer 0 measures peer 1, which answers until it is told that it is enough.
template <class Net>
pa::task<> measure_echo(Net& net, pa::round_trip_options o, pa::round_trip& found)
{
    found = co_await pa::measure_round_trip(net, 1, o);
}

template <class Cluster>
pa::round_trip measured_echo(Cluster& cluster, pa::round_trip_options o)
{
    pa::round_trip found;
    std::vector<pa::task<>> both;
    both.push_back(measure_echo(cluster.peer(0), o, found));
    both.push_back(pa::serve_echo(cluster.peer(1), 0));
    const auto first = [](std::vector<pa::task<>> tasks) -> pa::task<> {
        co_await pa::when_any(std::move(tasks));
    };
    pa::sync_wait(cluster.loop(), first(std::move(both)));
    return found;
}

/// Answers with something else than it was asked.
pa::task<> lie(pa::sim::transport& net)
{
    std::array<std::byte, sizeof(pa::detail::ping)> question{};
    for (;;) {
        co_await net.recv(0, pa::detail::request_tag(pa::control_service::echo), question);
        const auto p = pa::detail::parse_ping(question);
        question.back() ^= std::byte{1};
        co_await net.send(0, pa::detail::control_tag(pa::control_service::echo, p.request, p.index),
                          question);
    }
}

}  // namespace

TEST_CASE("a round trip takes twice the latency, and jitter shows", "[probe]")
{
    const auto seed = GENERATE(range(1, 6));
    sim_cluster calm(2, {.seed = static_cast<std::uint64_t>(seed), .latency = 40ms});
    const auto steady = measured_echo(calm, {.secret = echo_secret});
    CHECK(steady.count == 16);
    CHECK(steady.min >= 80ms);
    CHECK(steady.min < 81ms);
    CHECK(steady.p99 == steady.min);
    CHECK(steady.jitter == 0ms);

    sim_cluster windy(2,
                      {.seed = static_cast<std::uint64_t>(seed), .latency = 40ms, .jitter = 20ms});
    const auto shaken = measured_echo(windy, {.secret = echo_secret, .count = 200});
    CHECK(shaken.min >= 80ms);
    CHECK(shaken.min < 95ms);
    CHECK(shaken.p50 > 95ms);
    CHECK(shaken.p50 < 105ms);
    CHECK(shaken.p99 > 110ms);
    CHECK(shaken.p99 < 121ms);
    CHECK(shaken.jitter > 3ms);
    CHECK(shaken.jitter < 15ms);
}

TEST_CASE("a round trip is logged, and so is why there is none", "[probe]")
{
    const pa::test::collected_log log;
    sim_cluster cluster(2, {.latency = 40ms});
    measured_echo(cluster, {.secret = echo_secret, .count = 5});
    CHECK(log.has("debug: measurement begun peer=1 service=echo"));
    CHECK(log.has("debug: round trip measured peer=1 count=5 p50=0.08"));
    pa::round_trip found;
    CHECK_THROWS(pa::sync_wait(
        cluster.loop(),
        measure_echo(cluster.peer(0), {.secret = echo_secret, .answer_timeout = 3s}, found)));
    CHECK(log.has("warning: measurement failed peer=1 service=echo why="));
    CHECK_FALSE(log.has("measurement dropped"));
}

TEST_CASE("round trips are measured over TCP", "[probe][tcp]")
{
    tcp_cluster cluster(2);
    const auto found = measured_echo(cluster, {.secret = echo_secret, .count = 5, .pause = 0ms});
    CHECK(found.count == 5);
    CHECK(found.min > 0ms);
    CHECK(found.min <= found.p50);
    CHECK(found.p50 <= found.p99);
}

TEST_CASE("an echo that is another is noticed", "[probe]")
{
    sim_cluster cluster(2);
    pa::round_trip found;
    std::vector<pa::task<>> both;
    both.push_back(lie(cluster.peer(1)));
    both.push_back(measure_echo(cluster.peer(0), {.secret = echo_secret}, found));
    try {
        pa::sync_wait(cluster.loop(), pa::test::all_of(std::move(both)));
        FAIL("the lie was believed");
    } catch (const std::system_error& failure) {
        CHECK(failure.code() == pa::errc::mismatch);
    }
}

TEST_CASE("a peer that does not answer is given up, one that dies at once", "[probe]")
{
    sim_cluster cluster(2);
    pa::round_trip found;
    try {
        pa::sync_wait(
            cluster.loop(),
            measure_echo(cluster.peer(0), {.secret = echo_secret, .answer_timeout = 3s}, found));
        FAIL("nobody answered");
    } catch (const std::system_error& failure) {
        CHECK(failure.code() == pa::errc::timed_out);
        CHECK(cluster.loop().now() == pa::time_point(3s));
    }
    cluster.lose(1);
    try {
        pa::sync_wait(cluster.loop(),
                      measure_echo(cluster.peer(0), {.secret = echo_secret}, found));
        FAIL("nobody answered");
    } catch (const std::system_error& failure) {
        CHECK(failure.code() == pa::errc::disconnected);
    }
}

TEST_CASE("an echo server ends with its link, and refuses nonsense", "[probe]")
{
    sim_cluster cluster(2);
    auto serving = pa::serve_echo(cluster.peer(1), 0);
    SECTION("its link ends")
    {
        cluster.lose(0);
        pa::sync_wait(cluster.loop(), std::move(serving));
    }
    SECTION("nonsense")
    {
        const auto size = GENERATE(0u, 3u, 24u, 100u);
        const auto ask = [&]() -> pa::task<> {
            const std::vector<std::byte> nonsense(size);
            co_await cluster.peer(0).send(1, pa::detail::request_tag(pa::control_service::echo),
                                          nonsense);
        };
        std::vector<pa::task<>> both;
        both.push_back(ask());
        both.push_back(std::move(serving));
        try {
            pa::sync_wait(cluster.loop(), pa::test::all_of(std::move(both)));
            FAIL("nonsense was answered");
        } catch (const std::system_error& failure) {
            CHECK(failure.code() == pa::errc::bad_message);
        }
    }
}

TEST_CASE("a probe without a secret is refused", "[probe]")
{
    sim_cluster cluster(2);
    pa::round_trip found;
    CHECK_THROWS_AS(pa::sync_wait(cluster.loop(), measure_echo(cluster.peer(0), {}, found)),
                    std::system_error);
}

TEST_CASE("a probe that measures too often is refused", "[probe]")
{
    sim_cluster cluster(2);
    pa::round_trip found;
    pa::round_trip_options often{.secret = echo_secret, .count = 10'001};
    CHECK_THROWS_WITH(pa::sync_wait(cluster.loop(), measure_echo(cluster.peer(0), often, found)),
                      Catch::Contains("round_trip_options::count is 1 to 10,000: it is 10001"));
}

TEST_CASE("the statistics of round trips do not depend on their order, but for the jitter",
          "[probe]")
{
    const auto s = pa::detail::statistics_of({4ms, 1ms, 3ms, 2ms});
    CHECK(s.min == 1ms);
    CHECK(s.p50 == 3ms);
    CHECK(s.p99 == 4ms);
    CHECK(s.jitter == 2ms);  // 3, 2 and 1
    CHECK(pa::detail::statistics_of({}).count == 0);
    CHECK(pa::detail::statistics_of({5ms}).p99 == 5ms);
}

TEST_CASE("measuring round trips may be dropped at every step", "[probe][drop]")
{
    const auto program = [](pa::sim::transport& net) -> pa::task<> {
        std::vector<pa::task<>> work;
        pa::round_trip found;
        if (net.rank() == 0) {
            work.push_back(measure_echo(net, {.secret = echo_secret, .count = 3}, found));
        } else {
            work.push_back(pa::serve_echo(net, 0));
            work.push_back(pa::sleep_for(200ms));
        }
        co_await pa::when_any(std::move(work));
    };
    CHECK(pa::test::drop_at_every_step([] { return sim_cluster(2); }, program) > 20);
}
