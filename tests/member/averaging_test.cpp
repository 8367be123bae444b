#include <member/averaging.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/inproc.hpp>

#include <catch2/catch.hpp>

#include <vector>

using namespace papilio::example;
namespace pa = papilio;

namespace {

struct peer {
    std::vector<float> in;
    std::vector<float> out;
    pa::report report;
};

pa::task<> take_part(pa::any_transport net, peer& p, round_codec codec, pa::call_options o)
{
    pa::task<pa::report> round = average(net, p.in, p.out, codec, o);
    p.report = co_await std::move(round);
}

/// Averages `count` elements by these roles; the last peer is given nothing when it observes.
std::vector<peer> averaged(round_codec codec, std::size_t count, std::vector<pa::role> roles,
                           std::vector<double> shares = {})
{
    pa::thread_loop loop;
    pa::inproc::group world(static_cast<int>(roles.size()), loop);
    std::vector<peer> peers(roles.size());
    std::vector<pa::task<>> all;
    pa::call_options o;
    o.roles = roles;
    o.shares = shares;
    for (std::size_t rank = 0; rank < roles.size(); ++rank) {
        pa::random numbers(rank);
        peers[rank].out.resize(count);
        if (pa::contributes(roles[rank])) peers[rank].in.resize(count);
        for (float& v : peers[rank].in) v = static_cast<float>(numbers.normal());
        all.push_back(take_part(pa::any_transport(world.peer(static_cast<int>(rank))), peers[rank],
                                codec, o));
    }
    const auto everybody = [](std::vector<pa::task<>> tasks) -> pa::task<> {
        co_await pa::when_all(std::move(tasks));
    };
    pa::sync_wait(loop, everybody(std::move(all)));
    return peers;
}

}  // namespace

TEST_CASE("the butterfly's count is what miners exchange, within a hundredth", "[member]")
{
    const std::vector<pa::role> roles{pa::role::observer, pa::role::full, pa::role::full,
                                      pa::role::client};
    const std::size_t count = 300'001;
    for (const auto codec :
         {round_codec::none, round_codec::f16, round_codec::bf16, round_codec::int8b}) {
        INFO(name(codec));
        const auto shares = GENERATE(std::vector<double>{}, std::vector<double>{1, 5, 2, 1});
        const auto peers = averaged(codec, count, roles, shares);
        for (std::size_t rank = 1; rank < roles.size(); ++rank) {
            CHECK(peers[rank].out == peers[0].out);
            std::uint64_t sent = 0;
            for (std::size_t to = 1; to < roles.size(); ++to)
                sent += peers[rank].report.peers[to].sent;
            const auto counted = butterfly_bytes(codec, count, roles, rank, shares);
            CHECK(sent >= counted);
            CHECK(static_cast<double>(sent) < 1.01 * static_cast<double>(counted));
            const auto fetched = peers[0].report.peers[rank].received;
            const auto part = part_bytes(codec, count, roles, rank, shares);
            CHECK(fetched >= part);
            CHECK(static_cast<double>(fetched) <= 1.01 * static_cast<double>(part) + 64);
        }
    }
}

TEST_CASE("four equal peers send one and a half times the data each", "[member]")
{
    const std::vector<pa::role> roles(4, pa::role::full);
    for (std::size_t rank = 0; rank < 4; ++rank)
        CHECK(butterfly_bytes(round_codec::none, 4000, roles, rank) == 24'000);
    CHECK(butterfly_bytes(round_codec::none, 4000, std::vector(1, pa::role::full), 0) == 0);
}
