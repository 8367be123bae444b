#include <member/member_network.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>

#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace papilio::example;
namespace pa = papilio;

namespace {

constexpr std::size_t elements = 200'000;

struct node {
    std::unique_ptr<member_network> member;
    std::vector<float> in, out;
    update_residuals residuals{0};
    average_result how;
};

pa::task<> take_part(node& n, pa::wire::group group)
{
    n.out.assign(elements, 0);
    pa::task<average_result> round =
        n.member->average_in(std::move(group), round_codec::none, n.residuals, n.in, n.out);
    n.how = co_await std::move(round);
}

}  // namespace

TEST_CASE("members average round after round by parts that all agree on, watched by the host",
          "[member]")
{
    const int miners = GENERATE(1, 2, 4);
    pa::asio_loop loop;
    std::vector<node> nodes(static_cast<std::size_t>(miners) + 1);
    pa::wire::group group;
    group.timeout_ms = 60'000;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        member_network_options o;
        o.listen = {"127.0.0.1", 0};
        const auto id = static_cast<std::uint16_t>(i);
        nodes[i].member = std::make_unique<member_network>(loop, id, o);
        if (i > 0) nodes[i].in.assign(elements, static_cast<float>(i));
        const auto does = i == 0 ? pa::wire::member_role::observer : pa::wire::member_role::full;
        group.members.push_back({id, nodes[i].member->announced(), does});
    }
    for (std::uint32_t round = 0; round < 5; ++round) {
        group.round = round;
        group.epoch = round + 1;
        std::vector<pa::task<>> work;
        for (auto& n : nodes) work.push_back(take_part(n, group));
        pa::sync_wait(loop, pa::test::all_of(std::move(work)));
        const float mean = static_cast<float>(miners + 1) / 2;
        for (const auto& n : nodes) {
            INFO(n.how.why);
            REQUIRE(n.how.ok);
            CHECK(n.how.shares == nodes[0].how.shares);
            CHECK(n.out == std::vector<float>(elements, mean));
        }
        for (std::size_t rank = 1; rank < nodes.size(); ++rank) {
            std::vector<pa::role> roles = roles_of(group);
            const auto least =
                butterfly_bytes(round_codec::none, elements, roles, rank, nodes[rank].how.shares);
            CHECK(nodes[rank].how.among_voters.sent >= least);
            CHECK(static_cast<double>(nodes[rank].how.among_voters.sent) <=
                  1.02 * static_cast<double>(least) + 2000);
        }
    }
}
