#include <papilio/session/member_network.hpp>

#include <member/averaging.hpp>
#include <member/state.hpp>

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/session/mean_bytes.hpp>

#include <support/break_connections.hpp>
#include <support/tasks.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace papilio::example;
namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t elements = 200'000;

struct node {
    std::unique_ptr<pa::member_network> member;
    std::vector<float> in, out;
    update_residuals residuals{0};
    pa::average_result how;
};

/// Members 0, an observer, and 1 to `miners`.
struct crew {
    explicit crew(int miners) : nodes(static_cast<std::size_t>(miners) + 1)
    {
        group.timeout_ms = 60'000;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const auto does =
                i == 0 ? pa::wire::member_role::observer : pa::wire::member_role::full;
            group.members.push_back({static_cast<std::uint16_t>(i), {}, does});
            start(i);
        }
    }

    /// The process of a member begins, in place of an earlier one.
    void start(std::size_t id)
    {
        pa::member_network_options o;
        o.listen = {"127.0.0.1", 0};
        o.kept_means = bytes_of_state(elements);
        auto& n = nodes[id];
        n.member.reset();
        n.member = std::make_unique<pa::member_network>(loop, static_cast<std::uint16_t>(id), o);
        if (id > 0) n.in.assign(elements, static_cast<float>(id));
        group.members[id].at = n.member->announced();
    }

    /// One round of all members; returns how many of them it succeeds for.
    int round();

    /// Another round, in which the last member does something else.
    template <class Does>
    void round_but_last(Does does);

    pa::asio_loop loop;
    std::vector<node> nodes;
    pa::wire::group group;
};

pa::task<> take_part(node& n, pa::wire::group group)
{
    n.out.assign(elements, 0);
    const pa::averaging_call call = [&n](pa::any_transport net, pa::call_options o) {
        return average(net, n.in, n.out, round_codec::none, n.residuals, o);
    };
    pa::task<pa::average_result> round = n.member->average_in(std::move(group), call, n.out.size());
    n.how = co_await std::move(round);
}

int crew::round()
{
    ++group.round;
    ++group.epoch;
    std::vector<pa::task<>> work;
    for (auto& n : nodes) work.push_back(take_part(n, group));
    pa::sync_wait(loop, pa::test::all_of(std::move(work)));
    const float mean = static_cast<float>(nodes.size()) / 2;
    int right = 0;
    for (const auto& n : nodes) {
        UNSCOPED_INFO(n.how.why);
        right += n.how.ok && n.out == std::vector<float>(elements, mean);
    }
    return right;
}

template <class Does>
void crew::round_but_last(Does does)
{
    ++group.round;
    ++group.epoch;
    std::vector<pa::task<>> work;
    for (std::size_t id = 0; id + 1 < nodes.size(); ++id)
        work.push_back(take_part(nodes[id], group));
    work.push_back(does(nodes.back(), group));
    pa::sync_wait(loop, pa::test::all_of(std::move(work)));
}

/// What members 1 to 3 hold after a round that went on without the fourth.
void check_went_on(const crew& all)
{
    for (std::size_t id = 1; id <= 3; ++id) {
        const auto& how = all.nodes[id].how;
        INFO(how.why);
        REQUIRE(how.ok);
        CHECK(all.nodes[id].out == std::vector<float>(elements, 2));
        REQUIRE(how.left.size() == 1);
        CHECK(how.left[0].id == 4);
        CHECK_FALSE(how.left[0].why.empty());
        CHECK(how.shares == all.nodes[1].how.shares);
    }
    CHECK(all.nodes[0].how.ok);  // who watches has the result, too
    CHECK(all.nodes[0].out == std::vector<float>(elements, 2));
}

/// Takes part with little time, while member 3 waits for that to end.
pa::task<> fail_first(node& n, pa::wire::group group, pa::gate& failed)
{
    group.timeout_ms = 400;
    pa::task<> round = take_part(n, group);
    co_await std::move(round);
    failed.open();
}

}  // namespace

TEST_CASE("a round goes on without a member that is lost in it", "[member]")
{
    crew all(4);
    REQUIRE(all.round() == 5);
    all.round_but_last([](node& n, const pa::wire::group&) -> pa::task<> {
        co_await pa::sleep_for(100ms);
        co_await n.member->close();
    });
    check_went_on(all);
}

TEST_CASE("the others do not wait for a member that has failed before the mean is made", "[member]")
{
    crew all(4);
    REQUIRE(all.round() == 5);
    pa::gate failed;
    ++all.group.round;
    ++all.group.epoch;
    node& hasty = all.nodes[4];
    std::vector<pa::task<>> work;
    for (const std::size_t id : {0u, 1u, 2u}) work.push_back(take_part(all.nodes[id], all.group));
    const auto late = [&]() -> pa::task<> {
        co_await failed.opened();
        pa::task<> round = take_part(all.nodes[3], all.group);
        co_await std::move(round);
    };
    work.push_back(late());
    work.push_back(fail_first(hasty, all.group, failed));
    pa::sync_wait(all.loop, pa::test::all_of(std::move(work)));
    CHECK_FALSE(hasty.how.ok);
    check_went_on(all);
    CHECK(all.nodes[1].how.seconds < 15);  // of 60, of which a missing peer has a quarter
}

TEST_CASE("members average round after round by parts that all agree on, watched by the host",
          "[member]")
{
    crew all(GENERATE(1, 2, 4));
    const auto& nodes = all.nodes;
    for (int round = 0; round < 5; ++round) {
        REQUIRE(all.round() == static_cast<int>(nodes.size()));
        for (const auto& n : nodes) CHECK(n.how.shares == nodes[0].how.shares);
        for (std::size_t rank = 1; rank < nodes.size(); ++rank) {
            std::vector<pa::role> roles = pa::roles_of(all.group);
            const auto least =
                butterfly_bytes(round_codec::none, elements, roles, rank, nodes[rank].how.shares);
            CHECK(nodes[rank].how.among_voters.sent >= least);
            CHECK(static_cast<double>(nodes[rank].how.among_voters.sent) <=
                  1.02 * static_cast<double>(least) + 2000);
        }
    }
}

TEST_CASE("a member that was started anew takes part in the first group that names its process",
          "[member]")
{
    const std::size_t restarted = GENERATE(0u, 1u, 3u);
    crew all(3);
    CHECK(all.round() == 4);
    all.start(restarted);
    all.group.timeout_ms = 2000;
    all.round();  // as far as the group says, it is the process that was there
    CHECK_FALSE(all.nodes[restarted].how.ok);
    all.group.timeout_ms = 60'000;
    ++all.group.members[restarted].process;
    CHECK(all.round() == 4);
    CHECK(all.round() == 4);
}

TEST_CASE(
    "a member that has left makes room for another of its id, also for one that is met as donor",
    "[member]")
{
    const bool donor = GENERATE(true, false);
    crew all(3);
    CHECK(all.round() == 4);
    pa::sync_wait(all.loop, all.nodes[3].member->close());
    all.start(3);
    if (donor) {
        pa::wire::member_endpoint at{3, all.group.members[3].at};
        std::vector<pa::task<>> meeting;
        meeting.push_back(all.nodes[1].member->reach(std::move(at), 20s));
        at = {1, all.group.members[1].at};
        meeting.push_back(all.nodes[3].member->reach(std::move(at), 20s));
        pa::sync_wait(all.loop, pa::test::all_of(std::move(meeting)));
        CHECK(all.nodes[1].member->net().connected(3));
    }
    ++all.group.members[3].process;
    CHECK(all.round() == 4);
}

TEST_CASE("members whose links break go on with the next group, and serve each other again",
          "[member]")
{
    crew all(2);
    CHECK(all.round() == 3);
    CHECK(pa::test::break_connections(AF_INET) == 6);
    CHECK(all.round() == 0);  // whoever begins a call has not noticed yet
    CHECK(all.round() == 3);

    const auto state = std::make_shared<pa::state_snapshot>();
    state->round = 5;
    state->spans.assign(2, std::vector<float>(10, 7.f));
    all.nodes[1].member->publish(state);
    auto fetching = all.nodes[2].member->fetch({1, all.group.members[1].at}, 5, {10, 10});
    CHECK(pa::sync_wait(all.loop, std::move(fetching)).spans == state->spans);
}

TEST_CASE("a member that missed rounds gets their means from one that was there", "[member]")
{
    crew all(2);
    REQUIRE(all.round() == 3);
    const auto& from = all.nodes[1];
    const auto written = pa::write_mean(from.out, from.how.part_begins);
    for (std::uint32_t round = 4; round <= 6; ++round) {
        const auto state = std::make_shared<pa::state_snapshot>();
        state->round = round;
        from.member->publish(state, round == 4 ? std::vector<std::byte>{} : written);
    }
    const auto means_after = [&](std::uint32_t round) {
        auto fetching = all.nodes[2].member->fetch_means({1, all.group.members[1].at}, round);
        return pa::sync_wait(all.loop, std::move(fetching));
    };
    const auto means = means_after(4);
    REQUIRE(means.size() == 2);
    std::vector<float> read(elements);
    pa::read_mean(means[1], read);
    CHECK((read == from.out));
    CHECK(pa::test::thrown_by([&] { means_after(3); }) == pa::errc::refused);
}
