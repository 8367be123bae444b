#include <papilio/swarm/update_transfer.hpp>

#include <papilio/transport/tcp.hpp>

#include <faults/drop_every_step.hpp>
#include <support/bytes_of.hpp>
#include <support/clusters.hpp>
#include <support/collected_log.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;

namespace {

using update_list = std::vector<std::vector<std::byte>>;

std::vector<std::byte> update_of(std::uint32_t round)
{
    std::vector<std::byte> bytes(round % 3 * 200'001);
    pa::random random(round + 1);
    for (auto& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

pa::update_log log_between(std::uint32_t first, std::uint32_t last)
{
    pa::update_log log(std::size_t{10} << 20);
    for (auto round = first; round <= last; ++round) log.add(round, update_of(round));
    return log;
}

/// Runs `work` until its first task ends; the error that ends it.
std::error_code end_of(pa::loop& on, std::vector<pa::task<>> work)
{
    try {
        pa::sync_wait(on, pa::test::any_of(std::move(work)));
    } catch (const std::system_error& failed) {
        return failed.code();
    }
    return {};
}

template <class Net>
pa::task<> ask(Net& net, std::uint32_t after, update_list& into, pa::update_options o = {})
{
    into = co_await pa::fetch_updates(net, 1, after, o);
}

template <class Cluster>
void transfers_updates(Cluster& cluster)
{
    const auto log = log_between(4, 9);
    update_list got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(ask(cluster.peer(0), 5, got));
    tasks.push_back(pa::serve_updates(cluster.peer(1), 0, log));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK((got == update_list{update_of(6), update_of(7), update_of(8), update_of(9)}));
}

/// What a peer that answers requests by `offer` brings about.
std::error_code failure_by(const std::vector<std::byte>& offer, std::uint64_t max_bytes)
{
    sim_cluster cluster(2);
    const auto lie = [&](pa::sim::transport& net) -> pa::task<> {
        std::array<std::byte, sizeof(pa::detail::update_request)> asked{};
        co_await net.recv(0, pa::detail::request_tag(pa::control_service::updates), asked);
        const pa::detail::transfer_tags tags{pa::control_service::updates,
                                             pa::detail::parse_update_request(asked).request};
        co_await net.send(0, tags.offer(), offer);
        co_await pa::sleep_for(1h);
    };
    update_list got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(ask(cluster.peer(0), 3, got, {.max_bytes = max_bytes, .stall_timeout = 5s}));
    tasks.push_back(lie(cluster.peer(1)));
    return end_of(cluster.loop(), std::move(tasks));
}

}  // namespace

TEST_CASE("whoever missed some rounds gets what they brought, bit for bit", "[state]")
{
    SECTION("in the simulator")
    {
        const auto seed = GENERATE(range(1, 6));
        sim_cluster cluster(2, {.seed = static_cast<std::uint64_t>(seed), .jitter = 30ms});
        transfers_updates(cluster);
    }
    SECTION("over TCP")
    {
        tcp_cluster cluster(2);
        transfers_updates(cluster);
    }
}

TEST_CASE("a donor that does not know what followed says so", "[state]")
{
    const auto after = GENERATE(2u, 9u, 10u);
    sim_cluster cluster(2);
    const auto log = log_between(4, 9);
    update_list got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(ask(cluster.peer(0), after, got));
    tasks.push_back(pa::serve_updates(cluster.peer(1), 0, log));
    CHECK(end_of(cluster.loop(), std::move(tasks)) == pa::errc::refused);
    CHECK(cluster.loop().now() < pa::time_point(1s));
}

TEST_CASE("a donor sends no more than was asked for", "[state]")
{
    sim_cluster cluster(2);
    const auto log = log_between(4, 9);
    const auto most = update_of(7).size() + update_of(8).size() - 1;
    update_list got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(ask(cluster.peer(0), 6, got, {.max_bytes = most}));
    tasks.push_back(pa::serve_updates(cluster.peer(1), 0, log));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK((got == update_list{update_of(7)}));
}

TEST_CASE("an offer beyond what was asked for is refused before memory is taken", "[state]")
{
    const auto of = [](std::vector<std::uint64_t> sizes) {
        return pa::detail::encode_update_offer(sizes);
    };
    CHECK(failure_by(of({}), 1000) == pa::errc::refused);
    CHECK(failure_by(of({1001}), 1000) == pa::errc::bad_message);
    CHECK(failure_by(of({500, 501}), 1000) == pa::errc::bad_message);
    CHECK(failure_by(of({~std::uint64_t{}, 1}), 1000) == pa::errc::bad_message);
    CHECK(failure_by(of(std::vector<std::uint64_t>(65, 1)), 1000) == pa::errc::too_large);
    CHECK(failure_by(of({~std::uint64_t{}}), ~std::uint64_t{}) == pa::errc::refused);
    CHECK(failure_by(of({500, 500}), 1000) == pa::errc::timed_out);  // it is taken, and none comes
    auto cut = of({500, 500});
    cut.pop_back();
    CHECK(failure_by(cut, 1000) == pa::errc::bad_message);
    CHECK(failure_by({}, 1000) == pa::errc::bad_message);
}

TEST_CASE("a request for updates that makes no sense is told apart", "[state]")
{
    const auto refused = [](auto change) {
        pa::detail::update_request r;
        r.request = pa::detail::request_number(1, 1, pa::control_service::updates);
        change(r);
        const auto encoded = pa::detail::encode(r);
        return pa::test::thrown_by([&] { pa::detail::parse_update_request(encoded); }) ==
               pa::errc::bad_message;
    };
    CHECK_FALSE(refused([](auto&) {}));
    CHECK(refused([](auto& r) { r.magic = 1; }));
    CHECK(refused([](auto& r) { r.request = 1; }));
    CHECK(refused([](auto& r) { r.in_flight = 0; }));
    CHECK(refused([](auto& r) { r.in_flight = 257; }));
}

TEST_CASE("on a slow link a joiner gets the state once, and then what followed, until it is there",
          "[state]")
{
    constexpr double mbit = 1e6 / 8;
    sim_cluster cluster(2, {.latency = 10ms, .all = {100 * mbit, 50 * mbit}});
    auto begin = std::make_shared<pa::state_snapshot>();
    begin->spans.emplace_back(64'000'000);  // 256 MB: 41 s, in which 20 rounds of 2 s end
    const pa::shared_state latest = begin;
    pa::update_log log(std::size_t{256} << 20);
    std::uint32_t round = 0;
    const auto run = [&]() -> pa::task<> {
        for (;;) {
            co_await pa::sleep_for(2s);
            log.add(++round, std::vector<std::byte>(4'000'000));
        }
    };
    std::uint32_t reached = 0;
    const auto join = [&]() -> pa::task<> {
        auto state = co_await pa::fetch_state(cluster.peer(0), 1, {64'000'000});
        reached = state.round;
        CHECK(round >= 20);
        while (reached < round) {
            const auto next = co_await pa::fetch_updates(cluster.peer(0), 1, reached);
            reached += static_cast<std::uint32_t>(next.size());
        }
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(join());
    tasks.push_back(run());
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, latest));
    tasks.push_back(pa::serve_updates(cluster.peer(1), 0, log));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(reached == round);
    CHECK(cluster.loop().now() < pa::time_point(65s));
}

TEST_CASE("a transfer of updates may be dropped at every step", "[state][drop]")
{
    const auto log = log_between(1, 5);
    const auto program = [&](pa::sim::transport& net) -> pa::task<> {
        std::vector<pa::task<>> work;
        update_list got;
        if (net.rank() == 0) {
            work.push_back(ask(net, 2, got));
        } else {
            work.push_back(pa::serve_updates(net, 0, log));
            work.push_back(pa::sleep_for(1s));
        }
        co_await pa::when_any(std::move(work));
    };
    CHECK(pa::test::drop_at_every_step([] { return sim_cluster(2); }, program) > 20);
}
