// Whom a call names when one peer, which plays the protocol by hand, does what none should.

#include <papilio/codec/hivemind.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/engine/length_prefix.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/op/weighted_mean.hpp>
#include <papilio/wire/vote.hpp>

#include <support/clusters.hpp>

#include <catch2/catch.hpp>

#include <optional>

using namespace papilio;
using namespace std::chrono_literals;
using test::sim_cluster;

namespace {

constexpr int others = 2;  // peers 0 and 1; the one after them misbehaves
constexpr std::size_t in_parts = 3000, to_all = 300;
constexpr call_options options{.timeout = 3s, .call = 1, .chunk_bytes = 1 << 20};

tag name_of(message_kind kind)
{
    return make_tag({.call = 1, .kind = kind});
}

/// The others' call, and what peer 2 sends them in it.
template <class Codec>
struct stage {
    explicit stage(Codec by, std::size_t elements = in_parts, call_options o = options)
        : codec(by),
          count(elements),
          how(o),
          kind(detail::kind_of<float, weighted_mean>(by)),
          plan(detail::plan_by_shares(others + 1, elements, kind, o))
    {
        const detail::opened_call opened(any_transport(cluster.peer(others)), how);
        call = detail::describe(detail::collective_id::all_reduce, opened, count, kind, plan, how);
    }

    /// Ends the call on peers 0 and 1, while `play(net)` is peer 2's part.
    template <class Play>
    std::vector<call_error> failures(const Play& play)
    {
        std::vector<std::optional<call_error>> ends(others);
        cluster.run([&](auto& net) -> task<> {
            if (net.rank() == others) {
                co_await play(net);
                co_return;
            }
            std::vector<float> data(count, 1.f);
            try {
                co_await all_reduce_in_place(net, data, weighted_mean{}, codec, how);
            } catch (const call_error& failure) {
                ends[static_cast<std::size_t>(net.rank())] = failure;
            }
        });
        REQUIRE((ends[0] && ends[1]));
        return {*ends[0], *ends[1]};
    }

    /// Peer 2's contribution to the part of `owner`, of which every byte is `value`.
    std::vector<std::byte> contribution(int owner, int value, double weight = 1) const
    {
        auto d = call;
        d.weight = weight;
        const auto head = wire::encode(d);
        std::vector<std::byte> message(head.begin(), head.end());
        const auto encoded_size = [&](std::size_t n) { return codec.template bound<float>(n); };
        const auto elements = [&](int part) {
            return std::vector<std::byte>(encoded_size(plan.part_size(part)),
                                          static_cast<std::byte>(value));
        };
        const bool whole = how.chunk_bytes == 0;
        if (whole && kind.verbatim) {
            const std::vector<std::byte> all(encoded_size(count), static_cast<std::byte>(value));
            const auto entry = detail::length_prefixed(all);
            message.insert(message.end(), entry.begin(), entry.end());
            return message;
        }
        for (int part = whole ? 0 : owner; part <= (whole ? others : owner); ++part) {
            const auto encoded = whole ? detail::length_prefixed(elements(part)) : elements(part);
            message.insert(message.end(), encoded.begin(), encoded.end());
        }
        return message;
    }

    sim_cluster cluster{others + 1};
    Codec codec;
    std::size_t count;
    call_options how;
    detail::call_kind kind;
    detail::call_plan plan;
    wire::descriptor call;
};

}  // namespace

TEST_CASE("little data of too few elements fails the call, and names its sender")
{
    stage s(identity{}, to_all, {.timeout = 3s, .call = 1});
    auto message = s.contribution(0, 0);
    message.resize(wire::descriptor::encoded_size);
    const auto entry = detail::length_prefixed(std::vector<std::byte>(4 * (to_all - 1)));
    message.insert(message.end(), entry.begin(), entry.end());
    const auto failures = s.failures([&](auto& net) -> task<> {
        co_await net.send(0, name_of(message_kind::contribution), message);
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::bad_message);
        CHECK(failure.culprit() == others);
    }
}

TEST_CASE("a no that names nobody fails the call for everybody, with its code and no culprit")
{
    stage s(identity{});
    const auto no = wire::encode(
        wire::vote{.call = wire::digest(s.call), .culprit = -1, .why = errc::not_finite});
    const auto failures = s.failures([&](auto& net) -> task<> {
        co_await net.send(0, name_of(message_kind::vote), no);
        co_await net.send(1, name_of(message_kind::vote), no);
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::not_finite);
        CHECK(failure.culprit() == -1);
        CHECK(failure.reporter() == others);
    }
}

TEMPLATE_TEST_CASE("under a lossy codec, too, whoever sends bytes that do not decode is named", "",
                   int8b, topk<64>, hivemind::uniform8)
{
    // Reduced slice by slice, or in whole chunks; in parts, and from everybody to everybody.
    const bool small = GENERATE(false, true);
    const auto how = small ? call_options{.timeout = 3s, .call = 1} : options;
    stage s(TestType{}, small ? to_all : in_parts, how);
    const auto garbage = s.contribution(0, 0xff);
    const auto failures = s.failures([&](auto& net) -> task<> {
        co_await net.send(0, name_of(message_kind::contribution), garbage);
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::bad_message);
        CHECK(failure.culprit() == others);
    }
}

TEMPLATE_TEST_CASE("a contribution that is too short fails the call, and names its sender", "",
                   identity, int8b)
{
    stage s(TestType{});
    auto message = s.contribution(0, 0);
    message.pop_back();
    const auto failures = s.failures([&](auto& net) -> task<> {
        co_await net.send(0, name_of(message_kind::contribution), message);
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::bad_message);
        CHECK(failure.culprit() == others);
    }
}

TEMPLATE_TEST_CASE("a result that is too short fails the call and names its owner", "", identity,
                   int8b)
{
    // By `identity`, it is read in place.
    stage s(TestType{});
    const auto whole = s.codec.template bound<float>(s.plan.part_size(others));
    const std::vector<std::byte> result(whole - 4);
    const auto failures = s.failures([&](auto& net) -> task<> {
        for (const int peer : {0, 1}) {
            const auto mine = s.contribution(peer, 0);
            co_await net.send(peer, name_of(message_kind::contribution), mine);
        }
        co_await net.send(0, name_of(message_kind::result), result);
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::bad_message);
        CHECK(failure.culprit() == others);
    }
}

TEST_CASE("whoever votes for another weight than it contributes is named")
{
    const bool votes_first = GENERATE(false, true);
    CAPTURE(votes_first);
    stage s(identity{});
    const auto mine = s.contribution(0, 0, 1);
    const auto vote =
        wire::encode(wire::vote{.yes = true, .call = wire::digest(s.call), .weight = 2});
    const auto failures = s.failures([&](auto& net) -> task<> {
        if (votes_first) {
            co_await net.send(0, name_of(message_kind::vote), vote);
            co_await sleep_for(100ms);
        }
        co_await net.send(0, name_of(message_kind::contribution), mine);
        if (!votes_first) {
            co_await net.send(0, name_of(message_kind::vote), vote);
        }
    });
    for (const auto& failure : failures) {
        CHECK(failure.code() == errc::mismatch);
        CHECK(failure.culprit() == others);
    }
}

namespace {

/// A transport that sends messages of up to `most` bytes, as one over sockets does.
struct limited {
    sim::transport& net;
    std::size_t most;

    int rank() const { return net.rank(); }
    int size() const { return net.size(); }
    task<> send(int peer, tag t, bytes message)
    {
        if (message.size() > most) throw std::system_error(errc::too_large, "a long message");
        return net.send(peer, t, message);
    }
    task<std::size_t> recv(int peer, tag t, mutable_bytes into) { return net.recv(peer, t, into); }
};

}  // namespace

TEST_CASE("a call that exceeds the caller's own max_message names the caller")
{
    sim_cluster cluster(3);
    std::vector<std::optional<call_error>> ends(3);
    cluster.run([&](auto& net) -> task<> {
        limited mine{net, net.rank() == 1 ? std::size_t{1000} : std::size_t{100'000}};
        std::vector<float> data(in_parts, 1.f);
        try {
            co_await all_reduce_in_place(mine, data, sum{}, identity{}, options);
        } catch (const call_error& failure) {
            ends[static_cast<std::size_t>(net.rank())] = failure;
        }
    });
    for (const auto& end : ends) {
        REQUIRE(end);
        CHECK(end->code() == errc::too_large);
        CHECK(end->culprit() == 1);
    }
}
