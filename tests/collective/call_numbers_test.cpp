// Which call a message belongs to: when arguments are refused, when calls fail and are made again,
// and when they are dropped.

#include <papilio/collective/all_reduce.hpp>

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/transport/subset.hpp>

#include <support/clusters.hpp>
#include <support/collected_log.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <limits>
#include <optional>

namespace pa = papilio;
using namespace std::chrono_literals;
using pa::test::inproc_cluster;
using pa::test::sim_cluster;

namespace {

/// How a call ended: an error, and in which of the loop's time.
struct ending {
    std::optional<pa::call_error> failed;  // with the others
    std::error_code refused;               // by its own arguments
    pa::time_point at{};
};

pa::task<ending> ending_of(pa::task<pa::report> call)
{
    ending end;
    try {
        co_await call;
    } catch (const pa::call_error& failure) {
        end.failed = failure;
    } catch (const std::system_error& failure) {
        end.refused = failure.code();
    }
    end.at = co_await pa::now();
    co_return end;
}

using any = pa::any_transport;
using any_call = std::function<pa::task<pa::report>(any&)>;

/// A collective, as it should be called and as it is refused.
struct misuse {
    const char* name;
    any_call right;
    any_call wrong;
};

std::vector<float> from(30), to(30), tenth(10), nine(9);

std::vector<misuse> misuses()
{
    const auto all_reduce = [](any& net) { return pa::all_reduce(net, from, to); };
    const auto in_place = [](any& net) { return pa::all_reduce_in_place(net, from); };
    return {
        {"another length", all_reduce, [](any& net) { return pa::all_reduce(net, from, nine); }},
        {"overlap", all_reduce, [](any& net) { return pa::all_reduce(net, from, from); }},
        {"weight", in_place,
         [](any& net) { return pa::all_reduce_in_place(net, from, {.weight = -1}); }},
        {"shares", in_place,
         [](any& net) {
             return pa::all_reduce_in_place(net, from, {.shares = {1, 2}});
         }},
        {"timeout", in_place,
         [](any& net) { return pa::all_reduce_in_place(net, from, {.timeout = 0s}); }},
        {"radix", in_place,
         [](any& net) {
             return pa::all_reduce_in_place(net, from, {.radix = {2, 2}});
         }},
        {"reduce_scatter", [](any& net) { return pa::reduce_scatter(net, from, tenth); },
         [](any& net) { return pa::reduce_scatter(net, from, nine); }},
        {"all_gather", [](any& net) { return pa::all_gather(net, tenth, to); },
         [](any& net) { return pa::all_gather(net, nine, to); }},
        {"broadcast", [](any& net) { return pa::broadcast(net, from, 0); },
         [](any& net) { return pa::broadcast(net, from, 3); }},
        {"barrier", [](any& net) { return pa::barrier(net); },
         [](any& net) { return pa::barrier(net, {.timeout = -1s}); }},
    };
}

/// Has the four members of a transport alone. What is sent to peer 2 by peer 1 takes for ever.
struct slow_to_take {
    explicit slow_to_take(pa::sim::transport& n) : net(n) {}
    int rank() const { return net.rank(); }
    int size() const { return net.size(); }
    pa::task<> send(int peer, pa::tag t, pa::bytes message)
    {
        if (rank() == 1 && peer == 2) {
            co_await pa::sleep_for(1h);
        }
        co_await net.send(peer, t, message);
    }
    pa::task<std::size_t> recv(int peer, pa::tag t, pa::mutable_bytes into)
    {
        return net.recv(peer, t, into);
    }
    pa::sim::transport& net;
};

pa::call_options numbered(std::uint32_t number)
{
    pa::call_options o;
    o.call = number;
    return o;
}

}  // namespace

TEST_CASE("a peer whose arguments are refused ends the call for all, at once and by its name")
{
    for (const auto& m : misuses()) {
        CAPTURE(m.name);
        sim_cluster cluster(3);
        std::vector<ending> ends(3), after(3);
        cluster.run([&](auto& net) -> pa::task<> {
            any peer(net);
            const auto rank = static_cast<std::size_t>(net.rank());
            pa::task<pa::report> first = rank == 1 ? m.wrong(peer) : m.right(peer);
            ends[rank] = co_await ending_of(std::move(first));
            pa::task<pa::report> second = m.right(peer);
            after[rank] = co_await ending_of(std::move(second));
        });
        CHECK(ends[1].refused == pa::errc::bad_argument);
        for (const std::size_t rank : {0u, 2u}) {
            REQUIRE(ends[rank].failed);
            CHECK(ends[rank].failed->code() == pa::errc::bad_argument);
            CHECK(ends[rank].failed->culprit() == 1);
            CHECK(ends[rank].at < pa::time_point(1s));
        }
        for (const auto& end : after) CHECK((!end.failed && !end.refused));
    }
}

TEST_CASE("numbers of calls begin with none that is refused, and are those of the group")
{
    sim_cluster cluster(2);
    std::vector<ending> ends(2);
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> mine{1, 2}, other(1);
        if (net.rank() == 0) {  // a program that goes on after its own mistakes
            for (int i = 0; i < 3; ++i) {
                const auto end = co_await ending_of(pa::all_reduce(net, mine, other));
                CHECK(end.refused == pa::errc::bad_argument);
            }
        } else {
            for (int i = 0; i < 3; ++i) {
                const auto end = co_await ending_of(pa::all_reduce_in_place(net, mine));
                REQUIRE(end.failed);
                CHECK(end.failed->culprit() == 0);
            }
        }
        const auto done = co_await pa::all_reduce_in_place(net, mine);
        CHECK(done.call == 4);
        CHECK(mine == std::vector<float>{2, 4});
    });
}

TEST_CASE("a call that failed may be made again under its number, as often as one likes")
{
    const int failures = GENERATE(1, 15, 16, 17, 40);
    sim_cluster cluster(3);
    cluster.run([&](auto& net) -> pa::task<> {
        for (int round = 0; round < failures + 20; ++round) {
            co_await pa::sleep_for(net.rank() * 1s);  // messages come before they are awaited
            std::vector<float> data(1000, static_cast<float>(net.rank() + round));
            const bool fails = round < failures;
            if (fails && net.rank() == round % 3)
                data[500] = std::numeric_limits<float>::quiet_NaN();
            const auto end = co_await ending_of(
                pa::all_reduce_in_place(net, data, pa::sum{}, pa::int8b{}, numbered(7)));
            CHECK(end.failed.has_value() == fails);
            if (end.failed) CHECK(end.failed->code() == pa::errc::not_finite);
            if (!end.failed) CHECK(data[0] == Approx(3 + 3 * round).epsilon(0.02));
        }
    });
}

TEST_CASE("a refusal is logged, and leaves in time though a peer takes nothing")
{
    const pa::test::collected_log log;
    pa::sim::world world{{.peers = 3}};
    std::vector<ending> ends(3);
    world.run([&](auto& net) -> pa::task<> {
        slow_to_take patient(net);
        any peer(patient);
        std::vector<float> data(10, 1.f);
        pa::call_options o = numbered(7);
        o.timeout = 20s;
        if (net.rank() == 1) o.weight = -1;
        ends[static_cast<std::size_t>(net.rank())] =
            co_await ending_of(pa::all_reduce_in_place(peer, data, o));
    });
    CHECK(log.has("call failed call=7 rank=1 culprit=1"));
    CHECK(ends[1].refused == pa::errc::bad_argument);
    CHECK(ends[1].at <= pa::time_point(1s));
    REQUIRE(ends[0].failed);
    CHECK(ends[0].failed->code() == pa::errc::bad_argument);
    CHECK(ends[0].at <= pa::time_point(2s));
}

TEST_CASE("what is left of a try that failed is not taken for the next one's")
{
    sim_cluster cluster(2);
    std::vector<float> results;
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> data(100'000, 1);
        if (net.rank() == 0) {
            const auto end =
                co_await ending_of(pa::all_reduce_in_place(net, data, {.timeout = 1s, .call = 7}));
            CHECK(end.failed);
        } else {
            co_await pa::sleep_for(5s);  // comes when the other has given up
            const auto end = co_await ending_of(pa::all_reduce_in_place(net, data, numbered(7)));
            REQUIRE(end.failed);
            CHECK(end.at < pa::time_point(6s));  // which it has said
        }
        data.assign(100'000, 10);
        co_await pa::all_reduce_in_place(net, data, numbered(7));
        results.insert(results.end(), data.begin(), data.end());
    });
    CHECK(results == std::vector<float>(200'000, 20));
}

TEST_CASE(
    "one call at a time runs under a number, and a second is refused without harm to the first")
{
    sim_cluster cluster(2);
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> first(10, 1), second(10, 2);
        const auto both = [&]() -> pa::task<> {
            const auto end = co_await ending_of(pa::all_reduce_in_place(net, first, numbered(7)));
            CHECK_FALSE(end.failed);
        };
        const auto refused = [&]() -> pa::task<> {
            const auto end = co_await ending_of(pa::all_reduce_in_place(net, second, numbered(7)));
            CHECK(end.refused == pa::errc::bad_argument);
        };
        co_await pa::when_all(both(), refused());
        CHECK(first[0] == 2);
        CHECK(second[0] == 2);
        co_await pa::all_reduce_in_place(net, second, numbered(7));
        CHECK(second[0] == 4);
    });
}

TEST_CASE("the largest number of a call is 524,287, and a larger one takes none")
{
    inproc_cluster cluster(1);
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> data{1};
        co_await pa::all_reduce_in_place(net, data, numbered(524'287));
        const auto end = co_await ending_of(pa::all_reduce_in_place(net, data, numbered(524'288)));
        CHECK(end.refused == pa::errc::bad_argument);
    });
}

TEST_CASE("a group counts its calls by itself")
{
    sim_cluster cluster(2);
    cluster.run([&](auto& net) -> pa::task<> {
        pa::subset first(net, {0, 1}, 1), second(net, {0, 1}, 2);
        std::vector<float> x(10, 1), y(10, 2), z(10, 3);
        const auto one = [&](auto& group, std::vector<float>& data) -> pa::task<> {
            co_await pa::all_reduce_in_place(group, data, numbered(7));
        };
        co_await pa::when_all(one(net, x), one(first, y), one(second, z));
        CHECK(x[0] == 2);
        CHECK(y[0] == 4);
        CHECK(z[0] == 6);
    });
}

TEMPLATE_TEST_CASE("a call that is dropped ends it for the others soon", "", sim_cluster,
                   inproc_cluster)
{
    TestType cluster(3);
    std::vector<ending> ends(3);
    cluster.run([&](auto& net) -> pa::task<> {
        std::vector<float> data(1000, 1);
        const auto rank = static_cast<std::size_t>(net.rank());
        if (rank == 1) {
            pa::task<pa::report> dropped = pa::all_reduce_in_place(net, data);
            pa::loop& on = co_await pa::this_loop{};
            dropped.start(on);
        } else {
            ends[rank] = co_await ending_of(pa::all_reduce_in_place(net, data));
        }
        co_await pa::all_reduce_in_place(net, data);
    });
    for (const std::size_t rank : {0u, 2u}) {
        REQUIRE(ends[rank].failed);
        CHECK(ends[rank].failed->code() == pa::errc::peer_failed);
        CHECK(ends[rank].failed->culprit() == 1);
    }
}
