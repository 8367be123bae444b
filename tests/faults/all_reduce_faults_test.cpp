// What an all-reduce does when peers disagree, die, fall silent or come too late, proven over many
// seeds. PAPILIO_SEEDS says which; a failure prints the line that shows it again.

#include <papilio/collective/all_reduce.hpp>

#include <papilio/codec.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/op.hpp>
#include <papilio/transport/tcp.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <support/clusters.hpp>
#include <support/reference.hpp>
#include <support/seeds.hpp>
#include <support/tcp_cluster.hpp>
#include <support/values.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::at;
using pa::test::sim_cluster;
using pa::test::tcp_cluster;
using pa::test::vectors;

namespace {

/// How a call ended for one peer.
struct outcome {
    std::optional<pa::report> success;
    std::optional<pa::call_error> failure;
    pa::time_point ended{};

    bool failed_with(std::error_code why) const { return failure && failure->code() == why; }
};

pa::task<> note(outcome& o, pa::task<pa::report> call)
{
    try {
        o.success = co_await call;
    } catch (const pa::call_error& failure) {
        o.failure = failure;
    }
    pa::loop& on = co_await pa::this_loop{};
    o.ended = on.now();
}

/// Runs `call(net)` on every peer and notes how it ends.
template <class Cluster, class Call>
std::vector<outcome> outcomes(Cluster& cluster, Call call)
{
    std::vector<outcome> ends(at(cluster.size()));
    cluster.run([&](auto& net) { return note(ends[at(net.rank())], call(net)); });
    return ends;
}

vectors ramps(int peers, std::size_t count)
{
    vectors data(at(peers), std::vector<float>(count));
    for (std::size_t rank = 0; rank < data.size(); ++rank)
        for (std::size_t i = 0; i < count; ++i)
            data[rank][i] = static_cast<float>(rank + 1) * static_cast<float>(i % 100);
    return data;
}

/// Factors of `peers` in a random order, or none of them apart.
std::vector<int> some_radix(int peers, pa::random& random)
{
    std::vector<int> radix;
    if (random.below(2) == 0) return radix;
    for (int f = 2; peers > 1; ++f)
        for (; peers % f == 0; peers /= f)
            radix.insert(
                radix.begin() + static_cast<std::ptrdiff_t>(random.below(radix.size() + 1)), f);
    return radix;
}

}  // namespace

TEST_CASE("peers that disagree about the call all learn it, before anything is used")
{
    const auto disagree = [](auto odd_one_out, const char* what) {
        sim_cluster cluster(3, {.jitter = 5ms});
        auto data = ramps(3, 1000);
        const auto before = data;
        const auto ends = outcomes(cluster, [&](auto& net) {
            auto& mine = data[at(net.rank())];
            return net.rank() == 1 ? odd_one_out(net, mine) : pa::all_reduce_in_place(net, mine);
        });
        std::string said;
        for (const auto& end : ends) {
            REQUIRE(end.failed_with(pa::errc::mismatch));
            said += end.failure->what();
        }
        CHECK_THAT(said, Catch::Contains(what));
        CHECK(data == before);
    };
    disagree([](auto& net, auto& mine) { return pa::all_reduce_in_place(net, mine, pa::mean{}); },
             "operation");
    disagree([](auto& net,
                auto& mine) { return pa::all_reduce_in_place(net, mine, pa::sum{}, pa::int8b{}); },
             "codec");
    disagree([](auto& net,
                auto& mine) { return pa::all_reduce_in_place(net, std::span(mine).first(999)); },
             "elements");
    disagree(
        [](auto& net, auto& mine) {
            return pa::all_reduce_in_place(net, mine, pa::sum{}, pa::identity{},
                                           {.chunk_bytes = 1000});
        },
        "columns");
    disagree(
        [](auto& net, auto& mine) {
            static constexpr std::array shares{1.0, 2.0, 3.0};
            return pa::all_reduce_in_place(net, mine, pa::sum{}, pa::identity{},
                                           {.shares = shares});
        },
        "shares");
    disagree(
        [](auto& net, auto& mine) {
            return pa::all_reduce_in_place(
                net, std::span(reinterpret_cast<std::int32_t*>(mine.data()), 1000));
        },
        "type");
}

TEST_CASE("even peers that exchange no data notice that they disagree")
{
    sim_cluster cluster(2);
    std::vector<float> nothing;
    const auto ends = outcomes(cluster, [&](auto& net) {
        return net.rank() == 0 ? pa::all_reduce_in_place(net, nothing, pa::sum{})
                               : pa::all_reduce_in_place(net, nothing, pa::min{});
    });
    for (const auto& end : ends) CHECK(end.failed_with(pa::errc::mismatch));
}

TEST_CASE("a number that the codec cannot carry fails the call everywhere, and names its owner")
{
    for (const std::size_t where : {5u, 500u, 999u}) {
        sim_cluster cluster(3);
        auto data = ramps(3, 1000);
        data[2][where] = std::numeric_limits<float>::quiet_NaN();
        const auto ends = outcomes(cluster, [&](auto& net) {
            return pa::all_reduce_in_place(net, data[at(net.rank())], pa::mean{}, pa::int8b{});
        });
        for (const auto& end : ends) {
            REQUIRE(end.failed_with(pa::errc::not_finite));
            CHECK(end.failure->culprit() == 2);
        }
    }
}

TEST_CASE("a peer that dies fails the call for all others at once, and is named")
{
    sim_cluster cluster(5, {.latency = 20ms});
    auto data = ramps(5, 100'000);
    const auto before = data;
    std::vector<outcome> ends(5);
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 3) {
            co_await pa::sleep_for(35ms);
            cluster.lose(3);
            co_return;
        }
        co_await note(ends[at(net.rank())], pa::all_reduce_in_place(net, data[at(net.rank())]));
    });
    for (const int rank : {0, 1, 2, 4}) {
        REQUIRE(ends[at(rank)].failed_with(pa::errc::disconnected));
        CHECK(ends[at(rank)].failure->culprit() == 3);
        CHECK(ends[at(rank)].ended < pa::time_point(1s));
    }
    CHECK(data == before);
}

TEST_CASE("a peer that falls silent is named when time is up, and no call lasts longer")
{
    for (const auto silent_from : {0ms, 25ms, 60ms}) {
        sim_cluster cluster(4, {.latency = 20ms, .all = {1e6, 1e6}});
        auto data = ramps(4, 100'000);
        const auto before = data;
        const auto call = [&](auto& net) -> pa::task<pa::report> {
            if (net.rank() == 2) {
                co_await pa::sleep_for(silent_from);
                cluster.world().silence(2);
            }
            co_return co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{},
                                                       pa::identity{},
                                                       pa::call_options{.timeout = 5s});
        };
        const auto ends = outcomes(cluster, [&](auto& net) { return call(net); });
        for (const int rank : {0, 1, 3}) {
            REQUIRE(ends[at(rank)].failed_with(pa::errc::timed_out));
            CHECK(ends[at(rank)].failure->culprit() == 2);
        }
        for (const auto& end : ends) CHECK(end.ended <= pa::time_point(5s + silent_from));
        CHECK(data == before);
    }
}

TEST_CASE("a peer that comes late makes the others wait, and too late fails them")
{
    const auto with_delay = [](pa::duration delay) {
        sim_cluster cluster(3);
        auto data = ramps(3, 1000);
        const auto call = [&](auto& net) -> pa::task<pa::report> {
            const auto mine = net.rank() == 0 ? delay : pa::duration{};
            co_await pa::sleep_for(mine);
            co_return co_await pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{},
                                                       pa::identity{},
                                                       pa::call_options{.timeout = 4s});
        };
        return outcomes(cluster, [&](auto& net) { return call(net); });
    };
    for (const auto& end : with_delay(3s)) CHECK(end.success);
    const auto late = with_delay(10s);
    for (const auto& end : late) REQUIRE(end.failure);
    CHECK(late[1].failed_with(pa::errc::timed_out));
    CHECK(late[1].failure->culprit() == 0);
    CHECK(late[2].failure->culprit() == 0);
}

TEST_CASE("a group can go on after a failed call")
{
    sim_cluster cluster(3, {.jitter = 15ms});
    auto data = ramps(3, 20'000);
    data[1][7] = std::numeric_limits<float>::infinity();
    const auto call = [&](auto& net) {
        return pa::all_reduce_in_place(net, data[at(net.rank())], pa::sum{}, pa::int8b{});
    };
    for (const auto& end : outcomes(cluster, call)) CHECK(end.failure);
    data[1][7] = 0;
    for (const auto& end : outcomes(cluster, call)) CHECK(end.success);
    CHECK(data[0] == data[1]);
    CHECK(data[0] == data[2]);
}

TEST_CASE("a message that no honest peer sends is its sender's failure")
{
    const std::size_t count = GENERATE(3000u, 300u);  // in parts, and from everybody to everybody
    const auto hostile = [&](pa::message_kind kind, std::size_t size) {
        sim_cluster cluster(3);
        auto data = ramps(3, count);
        std::vector<outcome> ends(3);
        cluster.run([&](auto& net) -> pa::task<> {
            if (net.rank() == 2) {
                const std::vector<std::byte> garbage(size, std::byte{0x5a});
                const auto t = pa::make_tag({.call = 1, .kind = kind});
                co_await net.send(0, t, garbage);
                co_await net.send(1, t, garbage);
                co_return;
            }
            const pa::call_options options{.timeout = 3s, .call = 1};
            co_await note(ends[at(net.rank())],
                          pa::all_reduce_in_place(net, data[at(net.rank())], pa::mean{},
                                                  pa::identity{}, options));
        });
        for (const int rank : {0, 1}) {
            REQUIRE(ends[at(rank)].failure);
            CHECK(ends[at(rank)].failure->culprit() == 2);
        }
        return ends[0].failure->code();
    };
    CHECK(hostile(pa::message_kind::contribution, 1000) == pa::errc::bad_message);
    CHECK(hostile(pa::message_kind::contribution, 3) == pa::errc::bad_message);
    CHECK(hostile(pa::message_kind::contribution, 50'000) == pa::errc::mismatch);
    CHECK(hostile(pa::message_kind::vote, 40) == pa::errc::bad_message);
    CHECK(hostile(pa::message_kind::vote, 0) == pa::errc::bad_message);
}

TEST_CASE("a peer that tells different weights to different peers is found out")
{
    const double other_weight = GENERATE(1.0, 0.0);
    sim_cluster cluster(3);
    auto data = ramps(3, 300);
    std::vector<outcome> ends(3);
    const pa::call_options options{.timeout = 3s, .call = 1, .chunk_bytes = 4096};

    // Peer 2 plays the protocol by hand: its first chunks name weights of 1 or 0, and of 5, and it
    // votes as if all were well.
    const auto elements = pa::detail::kind_of<float, pa::weighted_mean>(pa::identity{});
    const auto plan = pa::detail::plan_by_shares(3, 300, elements, options);
    const pa::detail::opened_call opened(pa::any_transport(cluster.peer(2)), options);
    const auto call = pa::detail::describe(pa::detail::collective_id::all_reduce, opened, 300,
                                           elements, plan, options);
    const auto lie = [&](auto& net, int victim, double weight) -> pa::task<> {
        const auto name = [](pa::message_kind kind) {
            return pa::make_tag({.call = 1, .kind = kind});
        };
        auto told = call;
        told.weight = weight;
        const auto head = pa::wire::encode(told);
        std::vector<std::byte> message(head.begin(), head.end());
        if (weight > 0) message.resize(message.size() + 400);
        co_await net.send(victim, name(pa::message_kind::contribution), message);
        message.resize(400);
        co_await net.send(victim, name(pa::message_kind::result), message);
        const auto vote = pa::wire::encode(
            pa::wire::vote{.yes = true, .call = pa::wire::digest(call), .weight = weight});
        co_await net.send(victim, name(pa::message_kind::vote), vote);
    };
    cluster.run([&](auto& net) -> pa::task<> {
        if (net.rank() == 2) {
            co_await lie(net, 0, other_weight);
            co_await lie(net, 1, 5);
            co_return;
        }
        co_await note(ends[at(net.rank())],
                      pa::all_reduce_in_place(net, data[at(net.rank())], pa::weighted_mean{},
                                              pa::identity{}, options));
    });
    for (const int rank : {0, 1}) {
        REQUIRE(ends[at(rank)].failure);
        CHECK_THAT(ends[at(rank)].failure->what(), Catch::Contains("other weights"));
    }
}

TEST_CASE("whatever happens to one peer, calls are bounded and all or nothing")
{
    const auto range = pa::test::seeds(300);
    for (int seed = range.first; seed <= range.last; ++seed) {
        INFO(pa::test::again(seed, "whatever happens to one peer*"));
        pa::random random(static_cast<std::uint64_t>(seed));
        const int peers = 2 + static_cast<int>(random.below(7));
        const auto victim = static_cast<int>(random.below(static_cast<std::uint64_t>(peers)));
        const auto fault = random.below(4);  // death, silence, a cut link, nothing
        const pa::duration when(1'000 * static_cast<std::int64_t>(random.below(160'000)));
        const auto count = static_cast<std::size_t>(random.below(30'000));
        const auto radix = some_radix(peers, random);
        const bool low_latency = random.below(2) == 0;  // there calls choose what is in flight
        std::vector<double> weights(at(peers));
        for (auto& weight : weights)
            weight = random.below(3) == 0 ? 0 : 1 + static_cast<double>(random.below(5));
        const bool possible = count == 0 || std::ranges::count(weights, 0.0) < peers;
        const pa::duration latency = low_latency ? pa::duration(40us) : pa::duration(10ms);
        sim_cluster cluster(peers, {.seed = static_cast<std::uint64_t>(seed),
                                    .latency = latency,
                                    .jitter = 2 * latency,
                                    .all = {2e6, 2e6}});
        auto data = ramps(peers, count);
        const auto before = data;
        std::vector<outcome> ends(at(peers));
        std::vector<std::optional<pa::task<>>> work;
        for (int rank = 0; rank < peers; ++rank) {
            const pa::call_options options{.timeout = 4s,
                                           .weight = weights[at(rank)],
                                           .radix = radix,
                                           .chunk_bytes = 4096,
                                           .in_flight = low_latency ? 0u : 2u};
            work.emplace_back(
                note(ends[at(rank)], pa::all_reduce_in_place(cluster.peer(rank), data[at(rank)],
                                                             pa::sum{}, pa::int8b{}, options)));
            work.back()->start(cluster.loop());
        }
        const auto strike = [&]() -> pa::task<> {
            co_await pa::sleep_for(when);
            if (fault == 0) {
                cluster.world().kill(victim);
                work[at(victim)].reset();
            }
            if (fault == 1) cluster.world().silence(victim);
            if (fault == 2) cluster.world().cut(victim, (victim + 1) % peers);
        };
        pa::task<> blow = strike();
        blow.start(cluster.loop());
        while (cluster.loop().run_one()) {
        }

        std::optional<std::vector<float>> result;
        bool definite_failure = false;
        for (int rank = 0; rank < peers; ++rank) {
            const auto& end = ends[at(rank)];
            if (fault == 0 && rank == victim && !end.success) continue;
            REQUIRE((end.success || end.failure));
            REQUIRE(end.ended <= pa::time_point(4s));
            if (end.success) {
                if (result) REQUIRE(data[at(rank)] == *result);
                result = data[at(rank)];
            } else {
                REQUIRE(data[at(rank)] == before[at(rank)]);
                definite_failure |= end.failure->code() != pa::errc::outcome_unknown;
                CAPTURE(fault, victim, radix, rank, end.failure->what());
                if (fault < 2 && rank != victim && possible)
                    REQUIRE(end.failure->culprit() == victim);
                if (fault == 3) REQUIRE(end.failed_with(pa::errc::no_contribution));
            }
        }
        REQUIRE_FALSE((result && definite_failure));
        if (fault == 3) REQUIRE(result.has_value() == possible);
        if (result && count > 0)
            REQUIRE(*result == reference::all_reduce<reference::blocks_of_int8>(
                                   before, std::vector<int>(at(peers), 1), false, radix, weights));
    }
}

TEST_CASE("over TCP, too, a peer that dies fails the call for all others and is named")
{
    tcp_cluster cluster(4);
    auto data = ramps(4, 500'000);
    const auto before = data;
    std::vector<outcome> ends(4);
    std::vector<std::optional<pa::task<>>> work;
    for (int rank = 0; rank < 4; ++rank) {
        work.emplace_back(
            note(ends[at(rank)], pa::all_reduce_in_place(cluster.peer(rank), data[at(rank)])));
        work.back()->start(cluster.loop());
    }
    for (int i = 0; i < 40; ++i) cluster.loop().run_one();
    REQUIRE_FALSE(work[3]->finished());
    work[3].reset();
    cluster.lose(3);
    for (const int rank : {0, 1, 2}) {
        while (!work[at(rank)]->finished()) REQUIRE(cluster.loop().run_one());
        REQUIRE(ends[at(rank)].failure);
        CHECK(ends[at(rank)].failure->culprit() == 3);
    }
    CHECK(data == before);
}
