#include <papilio/swarm/state_transfer.hpp>

#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>

#include <faults/drop_every_step.hpp>
#include <support/clusters.hpp>
#include <support/collected_log.hpp>
#include <support/tasks.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;

namespace {

const std::vector<std::size_t> sizes{200'001, 0, 65'536, 1};

pa::shared_state make_state(std::uint32_t round, const std::vector<std::size_t>& lengths = sizes)
{
    auto state = std::make_shared<pa::state_snapshot>();
    state->round = round;
    pa::random random(round + 1);
    for (const auto n : lengths) {
        state->spans.emplace_back(n);
        for (auto& v : state->spans.back()) v = static_cast<float>(random.normal());
    }
    return state;
}

/// From `donor`, or else from the one after it.
template <class Net>
pa::task<> fetch(Net& net, int donor, pa::state_snapshot& into, pa::state_options o = {})
{
    std::vector<int> donors{donor};
    if (net.size() > 2 && donor + 1 < net.size()) donors.push_back(donor + 1);
    into = co_await pa::fetch_state(net, donors, sizes, o);
}

std::error_code failure_of(pa::loop& on, std::vector<pa::task<>> tasks, std::string& story)
{
    try {
        pa::sync_wait(on, pa::test::any_of(std::move(tasks)));
    } catch (const std::system_error& failed) {
        story = failed.what();
        return failed.code();
    }
    return {};
}

template <class Cluster>
void transfers(Cluster& cluster)
{
    const auto state = make_state(9);
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.min_round = 9}));
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(got.round == 9);
    CHECK(got.spans == state->spans);
}

}  // namespace

TEST_CASE("a newcomer gets the donor's state, bit for bit", "[state]")
{
    SECTION("in the simulator")
    {
        const auto seed = GENERATE(range(1, 6));
        sim_cluster cluster(2, {.seed = static_cast<std::uint64_t>(seed), .jitter = 30ms});
        transfers(cluster);
    }
    SECTION("over TCP")
    {
        tcp_cluster cluster(2);
        transfers(cluster);
    }
}

TEST_CASE("the lists of a fetch may go before it is awaited", "[state]")
{
    sim_cluster cluster(2);
    const auto state = make_state(9);
    const auto later = [&](bool one) {
        const std::vector<int> donors{1, 1};
        const std::vector<std::size_t> lengths = sizes;
        return one ? pa::fetch_state(cluster.peer(0), 1, lengths)
                   : pa::fetch_state(cluster.peer(0), donors, lengths);
    };
    const auto fetching = [&]() -> pa::task<> {
        for (const bool one : {true, false}) {
            auto work = later(one);
            const auto got = co_await std::move(work);
            CHECK(got.spans == state->spans);
        }
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetching());
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
}

TEST_CASE("a transfer is logged by both sides, and so is why there was none", "[state]")
{
    const pa::test::collected_log log;
    {
        sim_cluster cluster(2);
        transfers(cluster);
    }
    CHECK(log.has("debug: fetch begun peer=1 min_round=9"));
    CHECK(log.has("debug: transfer begun peer=0 round=9"));
    CHECK(log.has("info: state sent peer=0 round=9 bytes=1062152"));
    CHECK(log.has("info: state fetched peer=1 round=9 bytes=1062152 took="));
    CHECK(log.count("warning:") == 0);

    sim_cluster cluster(2);
    const auto old = make_state(8);
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.min_round = 9}));
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, old));
    std::string story;
    CHECK(failure_of(cluster.loop(), std::move(tasks), story) == pa::errc::refused);
    CHECK(log.has("warning: state refused peer=0 round=8 min_round=9"));
    CHECK(log.has("warning: fetch failed peer=1 why=\"peer 1 does not have the state of round 9"));
}

TEST_CASE("several newcomers fetch from one donor at once", "[state]")
{
    sim_cluster cluster(4);
    const auto state = make_state(2);
    std::array<pa::state_snapshot, 4> got;
    const auto fetching = [&]() -> pa::task<> {
        std::vector<pa::task<>> all;
        for (int rank = 1; rank < 4; ++rank)
            all.push_back(fetch(cluster.peer(rank), 0, got[static_cast<std::size_t>(rank)]));
        co_await pa::when_all(std::move(all));
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetching());
    for (int rank = 1; rank < 4; ++rank)
        tasks.push_back(pa::serve_state(cluster.peer(0), rank, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    for (int rank = 1; rank < 4; ++rank)
        CHECK(got[static_cast<std::size_t>(rank)].spans == state->spans);
}

TEST_CASE("a transfer is of one round, though the next one ends meanwhile", "[state]")
{
    sim_cluster cluster(2, {.all = {1e6, 1e6}});
    const auto first = make_state(1);
    const auto second = make_state(2);
    pa::shared_state latest = first;
    pa::state_snapshot got, again;
    const auto fetching = [&]() -> pa::task<> {
        co_await fetch(cluster.peer(0), 1, got);
        co_await fetch(cluster.peer(0), 1, again);
    };
    const auto training = [&]() -> pa::task<> {
        co_await pa::sleep_for(500ms);
        latest = second;
        co_await pa::sleep_for(1h);
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetching());
    tasks.push_back(training());
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, latest));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(got.round == 1);
    CHECK(got.spans == first->spans);
    CHECK(again.round == 2);
    CHECK(again.spans == second->spans);
}

TEST_CASE("a donor that has nothing, or too old a state, says so", "[state]")
{
    sim_cluster cluster(2);
    pa::shared_state latest;
    if (GENERATE(true, false)) latest = make_state(3);
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.min_round = 4}));
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, latest));
    std::string story;
    CHECK(failure_of(cluster.loop(), std::move(tasks), story) == pa::errc::refused);
    CHECK(story.find("peer 1") != std::string::npos);
}

TEST_CASE("a donor that offers an older round than was asked for is left", "[state]")
{
    sim_cluster cluster(3);
    const auto state = make_state(5);
    auto& liar = cluster.peer(1);
    int answer = -1;
    const auto lie = [&]() -> pa::task<> {
        std::array<std::byte, sizeof(pa::detail::state_request)> encoded{};
        co_await liar.recv(0, pa::detail::request_tag(pa::control_service::state), encoded);
        const pa::detail::transfer_tags tags{pa::control_service::state,
                                             pa::detail::parse_state_request(encoded).request};
        const auto offer = encode(pa::detail::state_offer{.round = 3, .has = true, .sizes = sizes});
        co_await liar.send(0, tags.offer(), offer);
        std::array<std::byte, 1> accepted{};
        co_await liar.recv(0, tags.acceptance(), accepted);
        answer = std::to_integer<int>(accepted[0]);
        co_await pa::sleep_for(1h);
    };
    const pa::test::collected_log log;
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.min_round = 4}));
    tasks.push_back(lie());
    tasks.push_back(pa::serve_state(cluster.peer(2), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(answer == 0);
    CHECK(log.has("the state of round 3, which is older than round 4"));
    CHECK(got.round == 5);
    CHECK(got.spans == state->spans);
}

TEST_CASE("a state of another shape is refused before it is sent", "[state]")
{
    sim_cluster cluster(2);
    const auto latest = make_state(3, {200'001, 0, 65'536, 2});
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got));
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, latest));
    std::string story;
    CHECK(failure_of(cluster.loop(), std::move(tasks), story) == pa::errc::mismatch);
    CHECK(story.find("span 3 of the donor's state has 2 elements, ours 1") != std::string::npos);
    CHECK(cluster.loop().now() < pa::time_point(100ms));
}

TEST_CASE("when a donor dies, the next one gives the state", "[state]")
{
    const auto after = GENERATE(0ms, 30ms, 45ms, 60ms);
    sim_cluster cluster(3);
    const auto state = make_state(5);
    pa::state_snapshot got;
    const auto dying = [&]() -> pa::task<> {
        co_await pa::sleep_for(after);
        cluster.world().kill(1);
        co_await pa::sleep_for(1h);
    };
    auto doomed = pa::serve_state(cluster.peer(1), 0, state);
    doomed.start(cluster.loop());
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got));
    tasks.push_back(dying());
    tasks.push_back(pa::serve_state(cluster.peer(2), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(got.spans == state->spans);
    CHECK(cluster.loop().now() < pa::time_point(2s));
}

TEST_CASE("when a donor falls silent, the next one gives the state", "[state]")
{
    sim_cluster cluster(3);
    const auto state = make_state(5);
    pa::state_snapshot got;
    const auto silencing = [&]() -> pa::task<> {
        co_await pa::sleep_for(50ms);
        cluster.world().silence(1);
        co_await pa::sleep_for(1h);
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.stall_timeout = 5s}));
    tasks.push_back(silencing());
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, state));
    tasks.push_back(pa::serve_state(cluster.peer(2), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::any_of(std::move(tasks)));
    CHECK(got.spans == state->spans);
    CHECK(cluster.loop().now() < pa::time_point(7s));
}

TEST_CASE("a state that comes by drops ends at the deadline", "[state]")
{
    sim_cluster cluster(2, {.all = {1e4, 1e4}});
    const auto state = make_state(5);
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got, {.stall_timeout = 60s, .timeout = 70s}));
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, state));
    std::string story;
    CHECK(failure_of(cluster.loop(), std::move(tasks), story) == pa::errc::timed_out);
    CHECK(cluster.loop().now() == pa::time_point(70s));
}

TEST_CASE("a state whose parts were mixed up on the way is not used", "[state]")
{
    // The donor sends what it has, and the checksum of something else.
    sim_cluster cluster(2);
    const auto state = make_state(5);
    const auto liar = [&](pa::sim::transport& net) -> pa::task<> {
        std::array<std::byte, sizeof(pa::detail::state_request)> asked{};
        co_await net.recv(0, pa::detail::request_tag(pa::control_service::state), asked);
        const auto r = pa::detail::parse_state_request(asked);
        const pa::detail::transfer_tags tags{pa::control_service::state, r.request};
        pa::detail::state_offer offer;
        offer.has = true;
        offer.sizes = sizes;
        const auto message = pa::detail::encode(offer);
        co_await net.send(0, tags.offer(), message);
        const auto plan = pa::detail::plan_for(sizes);
        std::vector<pa::bytes> spans;
        for (const auto& span : state->spans) spans.push_back(std::as_bytes(std::span(span)));
        pa::detail::bulk_watch watch;
        const pa::detail::span_transfer t{tags, plan, r.in_flight, 77};
        co_await pa::detail::send_spans(net, 0, t, spans, watch);
        co_await pa::sleep_for(1h);
    };
    pa::state_snapshot got;
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetch(cluster.peer(0), 1, got));
    tasks.push_back(liar(cluster.peer(1)));
    std::string story;
    CHECK(failure_of(cluster.loop(), std::move(tasks), story) == pa::errc::mismatch);
    CHECK(got.spans.empty());
}

TEST_CASE("a donor serves on after a newcomer gave up, and ends with its link", "[state]")
{
    sim_cluster cluster(2);
    const auto state = make_state(5);
    pa::state_snapshot got;
    const auto fetching = [&]() -> pa::task<> {
        bool late = false;
        try {
            auto first = fetch(cluster.peer(0), 1, got);
            co_await pa::timeout(std::move(first), cluster.loop().now() + 60ms);
        } catch (const std::system_error&) {
            late = true;
        }
        CHECK(late);
        co_await fetch(cluster.peer(0), 1, got);
        CHECK(got.spans == state->spans);
        CHECK(cluster.loop().now() < pa::time_point(10s));
        cluster.world().kill(0);
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(fetching());
    tasks.push_back(pa::serve_state(cluster.peer(1), 0, state));
    pa::sync_wait(cluster.loop(), pa::test::all_of(std::move(tasks)));
}

TEST_CASE("a transfer may be dropped at every step", "[state][drop]")
{
    const auto state = make_state(5);
    const auto program = [&](pa::sim::transport& net) -> pa::task<> {
        std::vector<pa::task<>> work;
        pa::state_snapshot got;
        if (net.rank() == 0) {
            work.push_back(fetch(net, 1, got));
        } else {
            work.push_back(pa::serve_state(net, 0, state));
            work.push_back(pa::sleep_for(1s));
        }
        co_await pa::when_any(std::move(work));
    };
    CHECK(pa::test::drop_at_every_step([] { return sim_cluster(2); }, program) > 20);
}
