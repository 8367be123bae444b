#include <member/averaging.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/random.hpp>
#include <papilio/session/mean_bytes.hpp>
#include <papilio/transport/inproc.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace papilio::example;
namespace pa = papilio;

namespace {

struct peer {
    std::vector<float> in;
    std::vector<float> out;
    pa::report report;
    update_residuals residuals{0};
};

pa::task<> take_part(pa::any_transport net, peer& p, round_codec codec, pa::call_options o)
{
    pa::task<pa::report> round = average(net, p.in, p.out, codec, p.residuals, o);
    p.report = co_await std::move(round);
}

/// Peers with `count` elements each, but for those that observe.
std::vector<peer> peers_of(const std::vector<pa::role>& roles, round_codec codec, std::size_t count)
{
    std::vector<peer> peers(roles.size());
    for (std::size_t rank = 0; rank < roles.size(); ++rank) {
        peers[rank].out.resize(count);
        if (!pa::contributes(roles[rank])) continue;
        pa::random numbers(rank);
        peers[rank].in.resize(count);
        for (float& v : peers[rank].in) v = static_cast<float>(numbers.normal());
        if (uses_error_feedback(codec)) peers[rank].residuals = update_residuals(count);
    }
    return peers;
}

void average_once(std::vector<peer>& peers, const std::vector<pa::role>& roles, round_codec codec,
                  const std::vector<double>& shares = {})
{
    pa::thread_loop loop;
    pa::inproc::group world(static_cast<int>(roles.size()), loop);
    std::vector<pa::task<>> all;
    pa::call_options o;
    o.roles = roles;
    o.shares = shares;
    for (std::size_t rank = 0; rank < roles.size(); ++rank)
        all.push_back(take_part(pa::any_transport(world.peer(static_cast<int>(rank))), peers[rank],
                                codec, o));
    const auto everybody = [](std::vector<pa::task<>> tasks) -> pa::task<> {
        co_await pa::when_all(std::move(tasks));
    };
    pa::sync_wait(loop, everybody(std::move(all)));
    for (auto& p : peers) p.residuals.commit();
}

}  // namespace

TEST_CASE("the butterfly's count is what miners exchange, within a hundredth", "[member]")
{
    const std::vector<pa::role> roles{pa::role::observer, pa::role::full, pa::role::full,
                                      pa::role::client};
    const std::size_t count = 300'001;
    for (const auto codec : {round_codec::none, round_codec::f16, round_codec::bf16,
                             round_codec::int8b, round_codec::int4b, round_codec::topk}) {
        INFO(name(codec));
        const auto shares = GENERATE(std::vector<double>{}, std::vector<double>{1, 5, 2, 1});
        auto peers = peers_of(roles, codec, count);
        average_once(peers, roles, codec, shares);
        for (std::size_t rank = 1; rank < roles.size(); ++rank) {
            CHECK(peers[rank].out == peers[0].out);
            std::uint64_t sent = 0;
            for (std::size_t to = 1; to < roles.size(); ++to)
                sent += peers[rank].report.peers[to].sent;
            const auto counted = butterfly_bytes(codec, count, roles, rank, shares);
            CHECK(sent >= counted);
            CHECK(static_cast<double>(sent) < 1.01 * static_cast<double>(counted) + 256);
            const auto fetched = peers[0].report.peers[rank].received;
            const auto part = part_bytes(codec, count, roles, rank, shares);
            CHECK(fetched >= part);
            CHECK(static_cast<double>(fetched) <= 1.01 * static_cast<double>(part) + 64);
        }
    }
}

TEST_CASE("what a codec leaves of an update goes out in later rounds", "[member]")
{
    const std::vector<pa::role> roles(3, pa::role::full);
    const std::size_t count = 30'000;
    const auto error_after = [&](round_codec codec, int rounds) {
        auto peers = peers_of(roles, codec, count);
        std::vector<double> sums(count);
        for (int i = 0; i < rounds; ++i) {
            average_once(peers, roles, codec);
            for (std::size_t k = 0; k < count; ++k) sums[k] += peers[0].out[k];
        }
        double error = 0;
        for (std::size_t k = 0; k < count; ++k) {
            double mean = 0;
            for (const auto& p : peers) mean += p.in[k] / 3.0;
            error += std::pow(sums[k] / rounds - mean, 2);
        }
        return std::sqrt(error / static_cast<double>(count));
    };
    CHECK(error_after(round_codec::int4b, 16) < 0.2 * error_after(round_codec::int4b, 1));
    CHECK(error_after(round_codec::topk, 256) < 0.5 * error_after(round_codec::topk, 1));
}

TEST_CASE("a mean is written as small as it was received, and read to the same bits", "[member]")
{
    const std::vector<pa::role> roles(3, pa::role::full);
    const std::vector<double> shares{1, 3, 2};
    const std::size_t count = 300'001;
    const auto bytes_per_element = [&](round_codec codec) {
        auto peers = peers_of(roles, codec, count);
        average_once(peers, roles, codec, shares);
        const auto& mean = peers[0].out;
        const auto written = pa::write_mean(mean, pa::part_begins(count, roles, shares));
        std::vector<float> read(count);
        pa::read_mean(written, read);
        CHECK((read == mean));
        return static_cast<double>(written.size()) / count;
    };
    CHECK(bytes_per_element(round_codec::none) < 4.01);
    CHECK(bytes_per_element(round_codec::f16) < 2.01);
    CHECK(bytes_per_element(round_codec::bf16) < 2.01);
    for (const auto codec : {round_codec::int8b, round_codec::int4b, round_codec::topk})
        CHECK(bytes_per_element(codec) < 1.05);
}

TEST_CASE("four equal peers send one and a half times the data each", "[member]")
{
    const std::vector<pa::role> roles(4, pa::role::full);
    for (std::size_t rank = 0; rank < 4; ++rank)
        CHECK(butterfly_bytes(round_codec::none, 4000, roles, rank) == 24'000);
    CHECK(butterfly_bytes(round_codec::none, 4000, std::vector(1, pa::role::full), 0) == 0);
}

TEST_CASE("what is in no part of a result is sent in a later round", "[member]")
{
    const std::vector<float> in{1, 2, 3, 4};
    update_residuals residuals(4);
    residuals.set(std::vector<pa::bf16>(4, pa::bf16(0.5f)));
    residuals.propose(0, std::vector<float>(4, 0.25f));
    pa::report made;
    made.made_of = {{{0, 1}, {{0, 1}, {1, 1}}}, {{1, 2}, {{0, 1}}}, {{3, 1}, {{1, 1}}}};
    keep_undelivered(made, 1, in, residuals);
    residuals.commit();
    std::vector<float> kept;
    for (const auto r : residuals.values()) kept.push_back(static_cast<float>(r));
    CHECK(kept == std::vector<float>{0.25f, 2.5f, 3.5f, 0.25f});
    keep_undelivered(made, 5, {}, residuals);  // an observer has nothing to send
}
