#include <papilio/probe/bandwidth.hpp>

#include <papilio/transport/detail/bulk.hpp>
#include <papilio/transport/tcp.hpp>

#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>
#include <support/collected_log.hpp>
#include <support/sanitized.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;

namespace {

constexpr pa::secret_key secret{{5, 6, 7}};

template <class Net>
pa::task<> measure(Net& net, pa::bandwidth_options o, pa::bandwidth& found)
{
    found = co_await pa::measure_bandwidth(net, 1, o);
}

template <class Cluster>
pa::bandwidth measured(Cluster& cluster, pa::bandwidth_options o, pa::task<> target)
{
    pa::bandwidth found;
    std::vector<pa::task<>> both;
    both.push_back(measure(cluster.peer(0), o, found));
    both.push_back(std::move(target));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(both)));
    return found;
}

template <class Cluster>
pa::bandwidth measured(Cluster& cluster, pa::bandwidth_options o)
{
    return measured(cluster, o, pa::serve_bandwidth(cluster.peer(1), 0));
}

template <class Cluster>
std::error_code failure(Cluster& cluster, pa::bandwidth_options o, pa::task<> target)
{
    try {
        measured(cluster, o, std::move(target));
    } catch (const std::system_error& failure) {
        return failure.code();
    }
    return {};
}

/// A target that agrees and then does as it likes.
pa::task<> pretend(pa::sim::transport& net, bool answers_at_once)
{
    std::array<std::byte, sizeof(pa::detail::bandwidth_request)> asked{};
    co_await net.recv(0, pa::detail::request_tag(pa::control_service::bandwidth), asked);
    const auto r = pa::detail::parse_bandwidth_request(asked);
    const std::array<std::byte, 1> yes{std::byte{1}};
    co_await net.send(0, pa::detail::control_tag(pa::control_service::bandwidth, r.request, 0),
                      yes);
    if (answers_at_once) {
        const std::array<std::byte, 8> acknowledgement{};
        for (std::size_t i = 0; i < r.down.chunks; ++i) {
            co_await net.send(0, r.plan_down().tag_for(i), acknowledgement);
        }
    }
    co_await pa::sleep_for(1h);
}

/// A target that is honest when it receives, and sends zeros.
pa::task<> send_zeros(pa::sim::transport& net)
{
    struct zeros {
        pa::bytes chunk(std::size_t, pa::mutable_bytes scratch) const { return scratch; }
        void arrived(std::size_t, std::uint64_t, pa::time_point) const {}
    };
    pa::detail::bulk_watch watch;
    for (;;) {
        std::array<std::byte, sizeof(pa::detail::bandwidth_request)> asked{};
        co_await net.recv(0, pa::detail::request_tag(pa::control_service::bandwidth), asked);
        const auto r = pa::detail::parse_bandwidth_request(asked);
        if (r.up.chunks == 0) {
            co_await pa::detail::answer_bandwidth(net, 0, r, true, watch);
            continue;
        }
        const std::array<std::byte, 1> yes{std::byte{1}};
        co_await net.send(0, pa::detail::control_tag(pa::control_service::bandwidth, r.request, 0),
                          yes);
        zeros source;
        co_await pa::detail::send_bulk(net, 0, r.plan_up(), source, watch);
    }
}

/// A target that holds each acknowledgement back for as long as it can: until no more chunks come.
pa::task<> hold_back(pa::sim::transport& net)
{
    for (;;) {
        std::array<std::byte, sizeof(pa::detail::bandwidth_request)> asked{};
        co_await net.recv(0, pa::detail::request_tag(pa::control_service::bandwidth), asked);
        const auto r = pa::detail::parse_bandwidth_request(asked);
        if (r.up.chunks > 0) {
            pa::detail::bulk_watch watch;
            co_await pa::detail::answer_bandwidth(net, 0, r, true, watch);
            continue;
        }
        const std::array<std::byte, 1> yes{std::byte{1}};
        co_await net.send(0, pa::detail::control_tag(pa::control_service::bandwidth, r.request, 0),
                          yes);
        const auto plan = r.plan_down();
        std::vector<std::byte> chunk(plan.largest);
        for (std::size_t begin = 0; begin < plan.chunks; begin += plan.window) {
            const auto end = std::min(begin + plan.window, plan.chunks);
            std::vector<std::array<std::byte, 8>> acknowledgements(end - begin);
            for (auto i = begin; i < end; ++i) {
                co_await net.recv(0, plan.tag_for(i), chunk);
                pa::store(acknowledgements[i - begin].data(), pa::checksum(chunk));
            }
            for (auto i = begin; i < end; ++i) {
                co_await net.send(0, plan.tag_for(i), acknowledgements[i - begin]);
            }
        }
    }
}

}  // namespace

TEST_CASE("the bandwidth that is measured is the link's", "[probe]")
{
    const auto seed = GENERATE(1, 2, 3);
    const auto down = GENERATE(1.25e6, 12.5e6, 125e6);
    const auto up = GENERATE(2e6, 30e6);
    const bool fast = down > 100e6;
    // It takes many bytes to measure, and the sanitizers' time.
    if (seed > 1 && (fast || pa::test::sanitized)) return;
    const auto mebibytes = fast ? std::size_t{64} : std::size_t{16};
    const std::array<pa::sim::access, 2> each{pa::sim::access{1e9, 1e9}, pa::sim::access{up, down}};
    sim_cluster cluster(
        2,
        {.seed = static_cast<std::uint64_t>(seed), .latency = 20ms, .jitter = 200us, .each = each});
    const auto found = measured(cluster, {.secret = secret, .bytes = mebibytes << 20});
    CHECK(found.down_bytes_per_second == Approx(down).epsilon(0.03));
    CHECK(found.up_bytes_per_second == Approx(up).epsilon(0.03));
}

TEST_CASE("a verifier's own link is a bottleneck, too", "[probe]")
{
    const std::array<pa::sim::access, 2> each{pa::sim::access{2e6, 3e6}, pa::sim::access{9e6, 9e6}};
    sim_cluster cluster(2, {.each = each});
    const auto found = measured(cluster, {.secret = secret});
    CHECK(found.down_bytes_per_second == Approx(2e6).epsilon(0.03));
    CHECK(found.up_bytes_per_second == Approx(3e6).epsilon(0.03));
}

TEST_CASE("a sustained measurement finds each way, and both at the same time", "[probe]")
{
    const auto seed = GENERATE(1, 2, 3);
    const auto up = GENERATE(2e6, 5e6);
    if (pa::test::sanitized && seed > 1) return;  // as above
    const std::array<pa::sim::access, 2> each{pa::sim::access{1e9, 1e9}, pa::sim::access{up, 5e6}};
    sim_cluster cluster(
        2,
        {.seed = static_cast<std::uint64_t>(seed), .latency = 30ms, .jitter = 1ms, .each = each});
    pa::bandwidth found;
    const auto program = [&]() -> pa::task<> {
        found = co_await pa::measure_sustained(cluster.peer(0), 1,
                                               pa::sustained_options{.secret = secret});
    };
    std::vector<pa::task<>> both;
    both.push_back(program());
    both.push_back(pa::serve_bandwidth(cluster.peer(1), 0));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(both)));
    CHECK(found.down_bytes_per_second == Approx(5e6).epsilon(0.03));
    CHECK(found.up_bytes_per_second == Approx(up).epsilon(0.03));
    CHECK(found.duplex_down_bytes_per_second == Approx(5e6).epsilon(0.15));
    CHECK(found.duplex_up_bytes_per_second == Approx(up).epsilon(0.15));
    CHECK(cluster.loop().now() > pa::time_point(17s));
    CHECK(cluster.loop().now() < pa::time_point(35s));
}

TEST_CASE("acknowledgements that are held back make a link look no more than a fifth faster",
          "[probe]")
{
    sim_cluster cluster(2, {.latency = 1ms, .all = {5e6, 5e6}});
    const auto found = measured(cluster, {.secret = secret}, hold_back(cluster.peer(1)));
    CHECK(found.down_bytes_per_second < 1.21 * 5e6);
    CHECK(found.down_bytes_per_second > 0.8 * 5e6);
}

TEST_CASE("bandwidth is measured over TCP", "[probe][tcp]")
{
    tcp_cluster cluster(2);
    const auto found = measured(cluster, {.secret = secret});
    CHECK(found.down_bytes_per_second > 0);
    CHECK(found.up_bytes_per_second > 0);
}

TEST_CASE("who claims bytes it has not received is found out", "[probe]")
{
    sim_cluster cluster(2);
    CHECK(failure(cluster, {.secret = secret}, pretend(cluster.peer(1), true)) ==
          pa::errc::mismatch);
}

TEST_CASE("who sends other bytes than it was told to is found out", "[probe]")
{
    sim_cluster cluster(2);
    CHECK(failure(cluster, {.secret = secret}, send_zeros(cluster.peer(1))) == pa::errc::mismatch);
}

TEST_CASE("who stops in the midst of a measurement is given up", "[probe]")
{
    sim_cluster cluster(2);
    CHECK(failure(cluster, {.secret = secret, .stall_timeout = 3s},
                  pretend(cluster.peer(1), false)) == pa::errc::timed_out);
    CHECK(cluster.loop().now() < pa::time_point(10s));
}

TEST_CASE("a link too slow for the deadline is given up at the deadline", "[probe]")
{
    sim_cluster cluster(2, {.all = {2e5, 2e5}});
    CHECK(failure(cluster, {.secret = secret, .timeout = 7s},
                  pa::serve_bandwidth(cluster.peer(1), 0)) == pa::errc::timed_out);
    CHECK(cluster.loop().now() == pa::time_point(7s));
}

TEST_CASE("a peer is not measured with more than it allows, and can be asked again", "[probe]")
{
    sim_cluster cluster(2);
    const auto allow = [&] {
        return pa::serve_bandwidth(cluster.peer(1), 0, {.bytes = std::size_t{2} << 20});
    };
    {
        const pa::test::collected_log log;
        CHECK(failure(cluster, {.secret = secret}, allow()) == pa::errc::refused);
        CHECK(
            log.has("warning: request refused peer=0 service=bandwidth why=\"it asks for "
                    "8388608 bytes one way, and bandwidth_limits::bytes is 2097152\""));
        CHECK(log.has("warning: measurement failed peer=1 service=bandwidth why="));
    }
    const auto found =
        measured(cluster, {.secret = secret, .bytes = std::size_t{2} << 20}, allow());
    CHECK(found.up_bytes_per_second > 0);
}

TEST_CASE("a verifier may drop a measurement half-way and begin another at once", "[probe]")
{
    const pa::test::collected_log log;
    sim_cluster cluster(2);
    const auto two = [&]() -> pa::task<> {
        pa::bandwidth found;
        bool late = false;
        try {
            auto first = measure(cluster.peer(0), {.secret = secret}, found);
            co_await pa::timeout(std::move(first), cluster.loop().now() + 300ms);
        } catch (const std::system_error&) {
            late = true;
        }
        CHECK(late);
        auto second = measure(cluster.peer(0), {.secret = secret}, found);
        co_await second;
        CHECK(found.up_bytes_per_second > 0);
        CHECK(cluster.loop().now() < pa::time_point(5s));
    };
    std::vector<pa::task<>> both;
    both.push_back(two());
    both.push_back(pa::serve_bandwidth(cluster.peer(1), 0));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(both)));
    CHECK(log.count("debug: measurement begun peer=1 service=bandwidth") == 3);
    CHECK(log.count("debug: measurement dropped peer=1 service=bandwidth") == 1);
    CHECK(log.count("debug: bandwidth measured peer=1 down_bytes_per_second=") == 2);
    CHECK(log.count("debug: request replaced peer=0 service=bandwidth") == 1);
    CHECK(log.has("debug: request answered peer=0 service=bandwidth"));
    CHECK(log.count("warning:") == 0);
}

TEST_CASE("a bandwidth probe with options that make no sense is refused", "[probe]")
{
    sim_cluster cluster(2);
    const auto serve = [&] { return pa::serve_bandwidth(cluster.peer(1), 0); };
    CHECK(failure(cluster, {}, serve()) == pa::errc::bad_argument);
    CHECK(failure(cluster, {.secret = secret, .bytes = 1000}, serve()) == pa::errc::bad_argument);
    const auto refused = [&](pa::task<pa::bandwidth> measured, const char* why) {
        CHECK_THROWS_WITH(pa::sync_wait(cluster.loop(), std::move(measured)), Catch::Contains(why));
    };
    auto& net = cluster.peer(0);
    refused(pa::measure_bandwidth(net, 1, {.secret = secret, .bytes = 1000}),
            "bandwidth_options::bytes is 1 MiB to 1 GiB: it is 1000");
    refused(pa::measure_sustained(net, 1, {.secret = secret, .max_bytes = 1000}),
            "sustained_options::max_bytes is 2 MiB to 1 GiB: it is 1000");
}

TEST_CASE("a request for a measurement out of range is refused", "[probe]")
{
    using pa::detail::bandwidth_way;
    const auto refused = [](bandwidth_way down, bandwidth_way up, const char* why) {
        const pa::detail::bandwidth_request r{
            .request = pa::detail::request_number(0, 1, pa::control_service::bandwidth),
            .down = down,
            .up = up,
            .key = {}};
        const auto encoded = pa::detail::encode(r);
        CHECK_THROWS_WITH(pa::detail::parse_bandwidth_request(encoded), Catch::Contains(why));
    };
    refused({}, {}, "the number of chunks of a measurement is 1 to ");
    refused({1000, 513}, {}, "with 1000 chunks one way is 1 to 512: it is 513");
    refused({}, {2, 3}, "with 2 chunks one way is 1 to 2: it is 3");
    refused({2, 0}, {}, "with 2 chunks one way is 1 to 2: it is 0");
    refused({2, 1}, {0, 1}, "with 0 chunks one way is 0 to 0: it is 1");
}

TEST_CASE("measuring bandwidth may be dropped at every step", "[probe][drop]")
{
    const auto program = [](pa::sim::transport& net) -> pa::task<> {
        std::vector<pa::task<>> work;
        pa::bandwidth found;
        if (net.rank() == 0) {
            work.push_back(measure(net, {.secret = secret, .bytes = std::size_t{1} << 20}, found));
        } else {
            work.push_back(pa::serve_bandwidth(net, 0));
            work.push_back(pa::sleep_for(1s));
        }
        co_await pa::when_any(std::move(work));
    };
    CHECK(pa::test::drop_at_every_step([] { return sim_cluster(2); }, program, 7) > 20);
}
