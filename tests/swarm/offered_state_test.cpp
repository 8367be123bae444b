// Runs whose state only members hold: `run_description::offered`.

#include <papilio/swarm/membership.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

/// A run that members offer their states to, and its clock.
struct offered_run {
    static pa::run_description description()
    {
        pa::run_description d;
        d.name = "a run";
        d.offered = true;
        return d;
    }
    static pa::membership_options quick()
    {
        pa::membership_options o;
        o.resume_wait = 10s;
        o.group_wait = 10s;
        return o;
    }

    std::uint16_t join(std::uint64_t parameters = 100)
    {
        auto answer = run.admit({"a run", {}, {"10.0.0.1", next_port++}, parameters, 7});
        const auto* joined = std::get_if<wire::joined>(&answer);
        return joined ? joined->id : std::uint16_t{0};
    }

    void hold(std::uint16_t id, std::uint32_t round, const std::string& digest)
    {
        run.report_state_held(id, {round, digest}, now);
    }

    /// These members make a round that leads to the state with this digest.
    void make_round(const std::vector<std::uint16_t>& ids, const std::string& digest)
    {
        const auto state = run.status_for(0);
        for (const auto id : ids) run.report_round_ready(id, {state.round, state.digest}, now);
        now += 10s;
        run.tick(now);
        const pa::group_called* called = nullptr;
        const auto events = run.take_events();
        for (const auto& e : events)
            if (const auto* c = std::get_if<pa::group_called>(&e)) called = c;
        REQUIRE(called);
        for (const auto id : ids)
            run.report_round(id, {state.round, called->group.attempt, true, digest}, now);
    }

    /// What a member was told of the run's state since it was asked last, by digest.
    std::vector<std::string> told(std::uint16_t id)
    {
        std::vector<std::string> all;
        for (const auto& e : run.take_events())
            if (const auto* o = std::get_if<pa::member_state_outdated>(&e); o && o->id == id)
                all.push_back(o->now.digest);
        return all;
    }

    pa::membership run{description(), quick()};
    pa::time_point now{};
    std::uint16_t next_port = 1000;
};

using digests = std::vector<std::string>;

}  // namespace

TEST_CASE("the first state that a member offers is the run's", "[offered]")
{
    offered_run all;
    const auto first = all.join(), second = all.join();
    all.hold(first, 0, "A");
    CHECK(all.told(first) == digests{"A"});
    all.hold(second, 0, "B");
    CHECK(all.told(second) == digests{"A"});
    CHECK(all.run.status_for(second).donors.size() == 1);
}

TEST_CASE("a later state than the first one is the run's, as long as no round has ended",
          "[offered]")
{
    offered_run all;
    const auto first = all.join(), second = all.join(), third = all.join();
    all.hold(first, 6, "A");
    all.hold(second, 7, "B");
    CHECK(all.run.status_for(0).digest == "B");
    CHECK(all.told(first) == digests{"A", "B"});
    all.make_round({second}, "C");
    CHECK(all.run.round() == 8);
    all.hold(third, 9, "D");
    CHECK(all.told(third) == digests{"C"});
}

TEST_CASE("a run whose state nobody holds any longer takes an earlier one when it has waited",
          "[offered]")
{
    offered_run all;
    const auto first = all.join();
    all.hold(first, 0, "A");
    all.make_round({first}, "B");
    all.run.leave(first, "it left", all.now);
    const auto second = all.join();
    all.hold(second, 0, "C");
    CHECK(all.told(second) == digests{"B"});
    CHECK(all.run.status_for(second).donors.empty());
    all.now += 9s;
    all.hold(second, 0, "C");
    CHECK(all.told(second) == digests{"B"});
    all.now += 1s;
    all.hold(second, 0, "C");
    CHECK(all.told(second) == digests{"C"});
    CHECK(all.run.round() == 0);
}

TEST_CASE("whoever comes back in time with the state that nobody else holds goes on from it",
          "[offered]")
{
    offered_run all;
    const auto first = all.join(), second = all.join();
    all.hold(first, 0, "A");
    all.make_round({first}, "B");
    all.run.leave(first, "its channel closed", all.now);
    all.hold(second, 0, "C");
    const auto back = all.join();
    all.told(back);
    all.hold(back, 1, "B");
    CHECK(all.told(back) == digests{"B"});
    all.now += 60s;  // it is held again: nobody waits any longer
    all.hold(second, 0, "C");
    CHECK(all.told(second) == digests{"B"});
}

TEST_CASE("the first member's settings are those of a run whose host has none", "[offered]")
{
    offered_run all;
    CHECK(all.join(100) != 0);
    CHECK(all.join(101) == 0);
    CHECK(all.join(100) != 0);
}

TEST_CASE("a member of such a run that trains in vain is told, and not only one that waits",
          "[offered]")
{
    offered_run all;
    const auto first = all.join(), late = all.join();
    all.hold(first, 0, "A");
    all.hold(late, 0, "A");
    all.told(late);
    all.make_round({first}, "B");
    CHECK(all.told(late) == digests{"B"});
}

TEST_CASE("where the host knows the state, members offer none", "[offered]")
{
    pa::run_description d{"a run", 100, 7, 0, "A"};
    pa::membership run(std::move(d), {});
    const auto answer = run.admit({"a run", {}, {"10.0.0.1", 1000}, 100, 7});
    const auto id = std::get<wire::joined>(answer).id;
    run.report_state_held(id, {5, "B"}, pa::time_point{});
    CHECK(run.status_for(0).digest == "A");
}

TEST_CASE("groups of a run that begins anew are held for newcomers as ever", "[membership]")
{
    offered_run all;
    const auto last = all.join();
    all.hold(last, 0, "A");
    for (const char* digest : {"B", "C", "D"}) all.make_round({last}, digest);
    all.run.leave(last, "it left", all.now);
    const auto next = all.join();
    all.hold(next, 0, "Z");
    all.now += 10s;
    all.hold(next, 0, "Z");
    REQUIRE(all.told(next).back() == "Z");
    const auto newcomer = all.join();
    all.run.report_state_fetching(newcomer, {0}, all.now);
    all.run.report_round_ready(next, {0, "Z"}, all.now);
    int held = 0;
    for (const auto& e : all.run.take_events()) held += std::holds_alternative<pa::group_held>(e);
    CHECK(held == 1);
}
