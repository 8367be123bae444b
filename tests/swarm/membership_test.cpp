#include <papilio/swarm/membership.hpp>

#include <papilio/base/random.hpp>
#include <papilio/swarm/membership_events.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

constexpr pa::membership_options quick{.min_group = 2,
                                       .max_group = 8,
                                       .max_members = 8,
                                       .group_wait = 10s,
                                       .round_timeout = 60s,
                                       .report_grace = 5s};

/// A run, and its clock.
struct bench {
    explicit bench(pa::membership_options o = quick)
        : run(pa::run_description{"a run", 100, 7, 0, ""}, o)
    {
    }

    static wire::join request(const std::string& name, std::uint16_t port)
    {
        return {"a run", name, {"10.0.0.1", port}, 100, 7};
    }

    std::uint16_t join()
    {
        const auto answer = run.admit(request({}, next_port++));
        return std::get<wire::joined>(answer).id;
    }

    std::string refusal(const wire::join& request)
    {
        const auto answer = run.admit(request);
        const auto* no = std::get_if<wire::refused>(&answer);
        return no ? no->reason : "";
    }

    void report_round_ready(std::uint16_t id)
    {
        run.report_round_ready(id, {run.round(), "", 10, 0, 0}, now);
    }
    void report_state_held(std::uint16_t id) { run.report_state_held(id, {run.round(), ""}, now); }

    void report_round(std::uint16_t id, bool ok, const std::string& digest = "D", int culprit = -1)
    {
        const auto* g = current_group();
        REQUIRE(g);
        run.report_round(id, {g->round, g->attempt, ok, ok ? digest : "", 0, 0, 0, culprit}, now);
    }

    /// A round that went on without a member.
    void report_round_without(std::uint16_t id, std::uint16_t left)
    {
        const auto* g = current_group();
        REQUIRE(g);
        wire::round_report report{g->round, g->attempt, true, "D"};
        report.left = {left};
        run.report_round(id, report, now);
    }

    void leave(std::uint16_t id) { run.leave(id, "it left", now); }
    void wait(pa::duration d)
    {
        now += d;
        run.tick(now);
    }

    std::vector<std::uint16_t> group()
    {
        std::vector<std::uint16_t> ids;
        if (const auto* g = current_group())
            for (const auto& m : g->members) ids.push_back(m.id);
        return ids;
    }

    /// The group whose reports are due; null between groups.
    const wire::group* current_group()
    {
        collect();
        return called ? &*called : nullptr;
    }

    /// The events since the last call.
    std::vector<pa::membership_event> take_events()
    {
        collect();
        return std::exchange(events, {});
    }

    void collect()
    {
        for (const auto& e : run.take_events()) {
            if (const auto* next = std::get_if<pa::group_called>(&e)) called = next->group;
            if (std::holds_alternative<pa::group_round_outcome>(e)) called.reset();
            events.push_back(e);
        }
    }

    template <class Event>
    std::vector<Event> take()
    {
        std::vector<Event> found;
        for (const auto& e : take_events())
            if (const auto* wanted = std::get_if<Event>(&e)) found.push_back(*wanted);
        return found;
    }

    pa::membership run;
    pa::time_point now{};
    std::uint16_t next_port = 1;
    std::optional<wire::group> called;
    std::vector<pa::membership_event> events;
};

using member_ids = std::vector<std::uint16_t>;

}  // namespace

TEST_CASE("members get ids in order, and one that is free again last of all", "[membership]")
{
    bench b;
    CHECK(b.join() == 1);
    CHECK(b.join() == 2);
    b.leave(2);
    CHECK(b.join() == 3);
    CHECK(b.take<pa::member_joined>().size() == 3);
    for (int id = 4; id <= wire::max_members; ++id) b.leave(b.join());
    CHECK(b.join() == 2);
    CHECK(b.join() == 4);
}

TEST_CASE("a run takes in any number of members in turn, and no two of an id", "[membership]")
{
    bench b;
    std::set<std::uint16_t> present;
    pa::random random(1);
    for (int i = 0; i < 3 * wire::max_members; ++i) {
        const auto id = b.join();
        REQUIRE(id >= 1);
        REQUIRE(id <= wire::max_members);
        REQUIRE(present.insert(id).second);
        if (present.size() < 5) continue;
        auto leaves = present.begin();
        std::advance(leaves, static_cast<std::ptrdiff_t>(random.below(present.size())));
        b.leave(*leaves);
        present.erase(leaves);
    }
}

TEST_CASE("a group names another process where an id is given again", "[membership]")
{
    bench b;
    constexpr std::array<std::uint16_t, 2> both{1, 2};
    const auto process_of = [&](std::uint16_t id) {
        const auto* g = b.current_group();
        REQUIRE(g);
        return std::ranges::find(g->members, id, &wire::group_member::id)->process;
    };
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    for (const std::uint16_t id : both) b.report_round_ready(id);
    const auto first = process_of(1), second = process_of(2);
    CHECK(first != second);
    for (const std::uint16_t id : both) b.report_round(id, true);
    b.leave(2);
    for (int i = 3; i <= wire::max_members; ++i) b.leave(b.join());
    b.report_state_held(1);
    REQUIRE(b.join() == 2);
    b.report_state_held(2);
    for (const std::uint16_t id : both) b.report_round_ready(id);
    CHECK(process_of(1) == first);
    CHECK(process_of(2) != second);
    CHECK(process_of(2) != first);
}

TEST_CASE("no id of the group is given again while its round lasts", "[membership]")
{
    bench b;
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    b.report_round_ready(1);
    b.report_round_ready(2);
    b.leave(2);
    for (int i = 3; i <= wire::max_members; ++i) b.leave(b.join());
    CHECK(b.join() == 3);
    b.report_round(1, false);
    for (int i = 4; i <= wire::max_members; ++i) b.leave(b.join());
    CHECK(b.join() == 2);
}

TEST_CASE("whoever does not fit into the run is told why", "[membership]")
{
    bench b;
    b.run.admit(bench::request("ada", 9));
    const auto fails_with = [&](const wire::join& request, const char* words) {
        return b.refusal(request).find(words) != std::string::npos;
    };
    auto other = bench::request("bob", 10);
    other.run = "b run";
    CHECK(fails_with(other, "this is the run \"a run\", not \"b run\""));
    other = bench::request("bob", 10);
    other.parameters = 99;
    CHECK(fails_with(other, "100 parameters, yours 99"));
    other = bench::request("bob", 10);
    other.configuration = 8;
    CHECK(fails_with(other, "configured differently"));
    CHECK(fails_with(bench::request("ada", 10), "called \"ada\" already"));
    CHECK(fails_with(bench::request("bob", 9), "at 10.0.0.1 port 9 already"));
    CHECK(b.refusal(bench::request("bob", 10)).empty());
    b.leave(1);
    CHECK(b.refusal(bench::request("ada", 9)).empty());
}

TEST_CASE("a name that is no readable text is refused for good", "[membership]")
{
    bench b;
    for (const char* name : {"bad\xff", "a\x1b[2J"}) {
        const auto answer = b.run.admit(bench::request(name, 1));
        REQUIRE(std::holds_alternative<wire::refused>(answer));
        CHECK(std::get<wire::refused>(answer).reason.find("must be UTF-8") != std::string::npos);
        CHECK(std::get<wire::refused>(answer).kind == wire::refusal_kind::permanent);
    }
}

TEST_CASE("whoever only finds its place taken may try again, whoever does not fit may not",
          "[membership]")
{
    auto o = quick;
    o.max_members = 2;
    bench b(o);
    b.run.admit(bench::request("ada", 9));
    const auto temporary = [&](const wire::join& request) {
        return std::get<wire::refused>(b.run.admit(request)).kind == wire::refusal_kind::temporary;
    };
    CHECK(temporary(bench::request("ada", 10)));
    CHECK(temporary(bench::request("bob", 9)));
    auto other = bench::request("ada", 10);
    other.configuration = 8;
    CHECK_FALSE(temporary(other));
    b.join();
    CHECK(temporary(bench::request("bob", 10)));
}

TEST_CASE("refusals fit into their message however long the request's texts are", "[membership]")
{
    bench b;
    auto request = bench::request(std::string(255, 'n'), 1);
    request.at.host = std::string(255, 'h');
    b.run.admit(request);
    CHECK(b.refusal(request).size() <= 255);
    request.name = "another";
    CHECK(b.refusal(request).size() <= 255);
    request.run = std::string(255, 'r');
    CHECK(b.refusal(request).size() <= 255);
}

TEST_CASE("a full run refuses, until somebody leaves", "[membership]")
{
    bench b;
    for (int i = 0; i < quick.max_members; ++i) b.join();
    CHECK(b.refusal(bench::request({}, 1000)) == "the run is full: it has 8 members");
    b.leave(3);
    CHECK(b.refusal(bench::request({}, 1000)).empty());
}

TEST_CASE("a group is called when everybody who holds the state is ready", "[membership]")
{
    bench b;
    const auto a = b.join(), c = b.join(), d = b.join();
    for (const auto id : {a, c, d}) b.report_state_held(id);
    b.report_round_ready(a);
    b.report_round_ready(d);
    CHECK(b.group().empty());
    b.report_round_ready(c);
    CHECK(b.group() == member_ids{a, c, d});
    CHECK(b.current_group()->epoch == 1);
    CHECK(b.current_group()->timeout_ms == 60'000);
}

TEST_CASE("a group waits for the slow until group_wait ends, and warns them", "[membership]")
{
    bench b;
    const auto a = b.join(), c = b.join(), slow = b.join();
    b.report_state_held(slow);
    b.report_round_ready(a);
    b.wait(4s);
    b.report_round_ready(c);
    CHECK(b.group().empty());
    const auto warned = b.take<pa::member_warned>();
    REQUIRE(warned.size() == 1);
    CHECK(warned[0].id == slow);
    CHECK(warned[0].warning.within_ms == 6'000);
    CHECK(b.run.next_tick() == pa::time_point(10s));
    b.wait(5999ms);
    CHECK(b.group().empty());
    b.wait(1ms);
    CHECK(b.group() == member_ids{a, c});
    CHECK(b.take<pa::member_warned>().empty());
}

TEST_CASE("too few members make no group, however long they wait", "[membership]")
{
    bench b;
    b.report_round_ready(b.join());
    b.wait(1h);
    CHECK(b.group().empty());
    CHECK(b.run.next_tick() == pa::time_point::max());
    b.report_round_ready(b.join());
    CHECK(b.group().size() == 2);
}

TEST_CASE("a group has at most as many as it may, and its observers beside", "[membership]")
{
    auto o = quick;
    o.max_group = 2;
    bench b(o);
    b.run.admit_host({"h", 1});
    const auto a = b.join(), c = b.join(), d = b.join();
    for (const auto id : member_ids{0, a, c, d}) b.report_state_held(id);
    for (const auto id : member_ids{0, a, c, d}) b.report_round_ready(id);
    CHECK(b.group() == member_ids{0, a, c});
    CHECK(b.current_group()->members[0].role == wire::member_role::observer);
    for (const auto id : {a, c}) b.report_round(id, true);
    const auto behind = b.take<pa::member_state_outdated>();
    REQUIRE(behind.size() == 1);
    CHECK(behind[0].id == d);
    CHECK(behind[0].now.round == 1);
}

TEST_CASE("when a group cannot hold all, nobody waits for ever", "[membership]")
{
    auto o = quick;
    o.max_group = GENERATE(2, 3);
    bench b(o);
    b.run.admit_host({"h", 1});
    member_ids all{0};
    for (int i = 0; i < 4; ++i) all.push_back(b.join());
    std::map<std::uint16_t, int> averaged;
    const auto round = [&] {
        for (const auto id : all) b.report_state_held(id);
        for (const auto id : all) b.report_round_ready(id);
        const auto group = b.group();
        REQUIRE(group.size() == static_cast<std::size_t>(o.max_group) + 1);
        CHECK(group[0] == 0);
        const auto digest = "after " + std::to_string(b.run.round() + 1);
        for (const auto id : group) b.report_round(id, true, digest);
        for (const auto id : group) ++averaged[id];
    };
    for (int i = 0; i < 6; ++i) round();
    CHECK(averaged[0] == 6);
    for (const auto id : all)
        if (id != 0) CHECK(averaged[id] >= 6 * o.max_group / 4);

    // A newcomer does not push past those who wait, and does not wait as if it had never been
    // passed over.
    all.push_back(b.join());
    const auto waiting = averaged;
    for (int i = 0; i < 2; ++i) round();
    for (const auto& [id, before] : waiting) CHECK(averaged[id] > before);
    for (int i = 0; i < 2; ++i) round();
    CHECK(averaged[all.back()] > 0);
}

TEST_CASE("observers alone make no group, and one that is late holds nobody up for ever",
          "[membership]")
{
    bench b;
    b.run.admit_host({"h", 1});
    b.report_round_ready(0);
    CHECK(b.group().empty());
    b.report_state_held(0);
    b.report_round_ready(b.join());
    b.report_round_ready(b.join());
    CHECK(b.group().empty());
    b.wait(10s);
    CHECK(b.group() == member_ids{1, 2});
}

TEST_CASE("who cannot be dialled is a client", "[membership]")
{
    bench b;
    const auto a = b.join();
    auto hidden = bench::request({}, 0);
    b.run.admit(hidden);
    b.report_round_ready(2);
    b.report_state_held(a);
    b.report_round_ready(a);
    REQUIRE(b.group().size() == 2);
    CHECK(b.current_group()->members[0].role == wire::member_role::full);
    CHECK(b.current_group()->members[1].role == wire::member_role::client);
    b.run.announce(2, {"10.0.0.2", 77}, b.now);
    CHECK(b.run.members().at(2).role == wire::member_role::full);
    CHECK_THROWS_AS(b.run.announce(2, b.run.members().at(a).at, b.now), std::system_error);
}

TEST_CASE("a round succeeds when more than half report the same digest", "[membership]")
{
    bench b;
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    b.report_round(1, true, "D");
    b.report_round(2, true, "D");
    b.report_round(3, true, "E");
    CHECK(b.run.round() == 0);
    b.report_round(4, true, "D");
    CHECK(b.run.round() == 1);

    auto events = b.take_events();
    std::map<std::uint16_t, wire::round_outcome> told;
    for (const auto& e : events)
        if (const auto* s = std::get_if<pa::member_round_outcome>(&e)) told[s->id] = s->outcome;
    REQUIRE(told.size() == 4);
    for (const auto& [id, outcome] : told) {
        CHECK(outcome.ok);
        CHECK(outcome.yours == (id != 3));
        CHECK(outcome.now.round == 1);
        CHECK(outcome.now.digest == "D");
    }
    for (const auto& donor : told[3].now.donors) CHECK(donor.id != 3);
    CHECK(told[3].now.donors.size() == 3);
}

TEST_CASE("half is not more than half", "[membership]")
{
    bench b;
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    b.report_round(1, true);
    b.report_round(2, true);
    b.report_round(3, false);
    b.report_round(4, false);
    CHECK(b.run.round() == 0);
    const auto told = b.take<pa::member_round_outcome>();
    REQUIRE(told.size() == 4);
    for (const auto& t : told) CHECK_FALSE((t.outcome.ok || t.outcome.yours));
}

TEST_CASE("a failed round is called again under the next attempt and epoch", "[membership]")
{
    bench b;
    for (int i = 0; i < 3; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 3; ++id) b.report_round_ready(id);
    b.leave(3);
    b.report_round(1, false);
    b.report_round(2, false);
    CHECK(b.group().empty());
    b.report_round_ready(1);
    b.report_round_ready(2);
    CHECK(b.group() == member_ids{1, 2});
    CHECK(b.current_group()->round == 0);
    CHECK(b.current_group()->attempt == 1);
    CHECK(b.current_group()->epoch == 2);
}

TEST_CASE("an attempt that nobody is left to report fails", "[membership]")
{
    bench b;
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    b.report_round_ready(1);
    b.report_round_ready(2);
    b.leave(1);
    b.leave(2);
    CHECK_FALSE(b.current_group());
    const auto ended = b.take<pa::group_round_outcome>();
    REQUIRE(ended.size() == 1);
    CHECK_FALSE(ended[0].ok);
}

TEST_CASE("who does not report in time is expelled, and the others go on", "[membership]")
{
    bench b;
    for (int i = 0; i < 3; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 3; ++id) b.report_round_ready(id);
    b.report_round(1, true);
    b.report_round(3, true);
    CHECK(b.run.next_tick() == pa::time_point(65s));
    b.wait(65s);
    CHECK(b.run.round() == 1);
    const auto left = b.take<pa::member_left>();
    REQUIRE(left.size() == 1);
    CHECK(left[0].id == 2);
    CHECK(left[0].expelled);
}

TEST_CASE("nobody waits for the report of a member without which the others went on",
          "[membership]")
{
    bench b;
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    const auto g = *b.current_group();
    b.report_round_without(1, 4);
    b.report_round_without(2, 4);
    CHECK(b.run.round() == 0);
    b.report_round_without(3, 4);
    CHECK(b.run.round() == 1);
    const auto events = b.take_events();
    for (const auto& e : events) {
        CHECK_FALSE(std::holds_alternative<pa::member_left>(e));
        if (const auto* o = std::get_if<pa::group_round_outcome>(&e))
            CHECK(o->left() == std::set<std::uint16_t>{4});
    }
    CHECK_FALSE(b.run.members().at(4).up_to_date());
    SECTION("it fails later, and learns where to get the state")
    {
        b.run.report_round(4, {g.round, g.attempt, false}, b.now);
        const auto told = b.take<pa::member_round_outcome>();
        REQUIRE(told.size() == 1);
        CHECK(told[0].outcome.ok);
        CHECK_FALSE(told[0].outcome.yours);
        CHECK(told[0].outcome.now.round == 1);
    }
    SECTION("the next group waits a while for it, as for anybody")
    {
        for (std::uint16_t id = 1; id <= 3; ++id) b.report_round_ready(id);
        CHECK(b.group().empty());
        b.wait(10s);
        CHECK(b.group() == member_ids{1, 2, 3});
    }
}

TEST_CASE("the report of a member that only few went on without is awaited", "[membership]")
{
    bench b;
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    b.report_round_without(1, 4);
    b.report_round(2, true);
    b.report_round(3, true);
    CHECK(b.run.round() == 0);
    b.report_round(4, true);
    CHECK(b.run.round() == 1);
}

TEST_CASE("an observer may report late, and learns what the others agreed on", "[membership]")
{
    bench b;
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    b.report_state_held(b.join());
    b.report_state_held(b.join());
    for (const auto id : member_ids{0, 1, 2}) b.report_round_ready(id);
    const auto g = *b.current_group();
    b.report_round(1, true);
    b.report_round(2, true);
    CHECK(b.run.round() == 1);
    CHECK(b.take<pa::member_round_outcome>().size() == 2);
    CHECK_FALSE(b.run.members().at(0).up_to_date());
    b.run.report_round(0, {g.round, g.attempt, true, "D", 0, 0, 0, -1}, b.now);
    const auto told = b.take<pa::member_round_outcome>();
    REQUIRE(told.size() == 1);
    CHECK(told[0].outcome.yours);
    CHECK(b.run.members().at(0).up_to_date());
}

TEST_CASE("the next group waits a while for an observer that has yet to report", "[membership]")
{
    bench b;
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    b.report_state_held(b.join());
    b.report_state_held(b.join());
    for (const auto id : member_ids{0, 1, 2}) b.report_round_ready(id);
    const auto first = *b.current_group();
    const auto report = [&](const wire::group& g) {
        b.run.report_round(0, {g.round, g.attempt, true, "D", 0, 0, 0, -1}, b.now);
    };
    b.report_round(1, true);
    b.report_round(2, true);
    for (const auto id : member_ids{1, 2}) b.report_round_ready(id);
    CHECK(b.group().empty());
    SECTION("it reports and is ready")
    {
        report(first);
        b.report_round_ready(0);
        CHECK(b.group() == member_ids{0, 1, 2});
    }
    SECTION("it takes too long, and is told that the run has gone on")
    {
        b.wait(10s);
        CHECK(b.group() == member_ids{1, 2});
        b.report_round(1, true, "E");
        b.report_round(2, true, "E");
        b.take<pa::member_round_outcome>();
        report(first);
        const auto told = b.take<pa::member_round_outcome>();
        REQUIRE(told.size() == 1);
        CHECK(told[0].outcome.round == first.round);
        CHECK(told[0].outcome.attempt == first.attempt);
        CHECK(told[0].outcome.ok);
        CHECK_FALSE(told[0].outcome.yours);
        CHECK(told[0].outcome.now.round == 2);
    }
}

TEST_CASE("an observer's word does not count", "[membership]")
{
    bench b;
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    for (const auto id : member_ids{0, 1, 2}) b.report_round_ready(id);
    b.report_round(0, true);
    b.report_round(1, true);
    b.report_round(2, false);
    CHECK(b.run.round() == 0);
}

TEST_CASE("whom more than half of its group names is expelled", "[membership]")
{
    bench b;
    for (int i = 0; i < 5; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 5; ++id) b.report_round_ready(id);
    b.report_round(1, false, "", 5);
    b.report_round(2, false, "", 5);
    b.report_round(3, false, "", 5);
    b.report_round(4, false, "", 1);
    b.report_round(5, false, "", 1);
    const auto left = b.take<pa::member_left>();
    REQUIRE(left.size() == 1);
    CHECK(left[0].id == 5);
    CHECK(left[0].expelled);
}

TEST_CASE("no single member expels another, nor itself, nor an observer", "[membership]")
{
    bench b;
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    for (int attempt = 0; attempt < 3; ++attempt) {
        for (const auto id : member_ids{0, 1, 2}) b.report_round_ready(id);
        b.report_round(0, false, "", 1);
        b.report_round(1, false, "", attempt == 1 ? 1 : 2);
        b.report_round(2, false, "", 0);
    }
    CHECK(b.take<pa::member_left>().empty());
}

TEST_CASE("after three failed attempts the one named most is left out of the round", "[membership]")
{
    bench b;
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    for (int attempt = 0; attempt < 3; ++attempt) {
        for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
        REQUIRE(b.group() == member_ids{1, 2, 3, 4});
        b.report_round(1, false);
        b.report_round(2, false, "", 3);
        b.report_round(3, false);
        b.report_round(4, false);
    }
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    CHECK(b.group() == member_ids{1, 2, 4});
    for (const auto id : member_ids{1, 2, 4}) b.report_round(id, true);
    CHECK(b.run.round() == 1);
    for (std::uint16_t id = 1; id <= 4; ++id) b.report_round_ready(id);
    CHECK(b.group() == member_ids{1, 2, 3, 4});
}

TEST_CASE("whoever is ready with another state than the run's is told where to get it",
          "[membership]")
{
    bench b;
    for (int i = 0; i < 3; ++i) b.report_state_held(b.join());
    for (std::uint16_t id = 1; id <= 3; ++id) b.report_round_ready(id);
    for (std::uint16_t id = 1; id <= 3; ++id) b.report_round(id, true, "D");
    const auto late = b.join();
    b.take_events();

    b.run.report_round_ready(late, {0, "", 5, 0, 0}, b.now);
    b.run.report_round_ready(late, {2, "", 5, 0, 0}, b.now);
    b.run.report_round_ready(late, {1, "E", 5, 0, 0}, b.now);
    b.run.report_state_held(late, {1, "E"}, b.now);
    const auto told = b.take<pa::member_state_outdated>();
    REQUIRE(told.size() == 4);
    for (const auto& t : told) {
        CHECK(t.id == late);
        CHECK(t.now.round == 1);
        CHECK(t.now.digest == "D");
        CHECK(t.now.donors.size() == 3);
    }
    b.run.report_state_held(late, {1, "D"}, b.now);
    b.report_round_ready(late);
    CHECK(b.take<pa::member_state_outdated>().empty());
    for (std::uint16_t id = 1; id <= 3; ++id) b.report_round_ready(id);
    CHECK(b.group() == member_ids{1, 2, 3, late});
}

TEST_CASE("a latecomer that holds the state is waited for, and one that fetches is not",
          "[membership]")
{
    bench b;
    b.report_state_held(b.join());
    b.report_state_held(b.join());
    const auto late = b.join();
    b.report_round_ready(1);
    SECTION("it fetches")
    {
        b.report_round_ready(2);
        CHECK(b.group() == member_ids{1, 2});
    }
    SECTION("it holds the state")
    {
        b.report_state_held(late);
        b.report_round_ready(2);
        CHECK(b.group().empty());
        b.report_round_ready(late);
        CHECK(b.group() == member_ids{1, 2, late});
    }
}

TEST_CASE("newcomers are spread over donors, and the host is the last resort", "[membership]")
{
    auto o = quick;
    o.donors = 3;
    bench b(o);
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    for (int i = 0; i < 4; ++i) b.report_state_held(b.join());
    std::set<std::uint16_t> first;
    for (int i = 0; i < 4; ++i) {
        const auto donors = b.run.status_for(b.join()).donors;
        REQUIRE(donors.size() == 3);
        first.insert(donors[0].id);
        CHECK(donors[2].id == 0);
    }
    CHECK(first.size() == 4);
}

TEST_CASE("donors that a member dials itself come before those that would have to dial it",
          "[membership]")
{
    bench b;
    for (int i = 0; i < 5; ++i) b.report_state_held(b.join());
    const auto donors = b.run.status_for(3).donors;
    REQUIRE(donors.size() == 4);
    CHECK(std::max(donors[0].id, donors[1].id) == 2);
    CHECK(std::min(donors[2].id, donors[3].id) == 4);
}

TEST_CASE("messages that no honest member sends are refused", "[membership]")
{
    bench b;
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    const wire::round_report early{0, 0, true, "D", 0, 0, 0, -1};
    CHECK_THROWS_AS(b.run.report_round(1, early, b.now), std::system_error);
    b.report_round_ready(1);
    b.report_round_ready(2);
    CHECK_THROWS_AS(b.report_round_ready(1), std::system_error);
    CHECK_THROWS_AS(b.report_state_held(1), std::system_error);
    CHECK_THROWS_AS(b.run.report_round(1, {0, 1, true, "D", 0, 0, 0, -1}, b.now),
                    std::system_error);
    CHECK_THROWS_AS(b.report_round(2, true, ""), std::system_error);
    b.report_round(2, true);
    CHECK_THROWS_AS(b.report_round(2, true), std::system_error);
}

TEST_CASE("a run continues at the round it had come to", "[membership]")
{
    pa::membership run(pa::run_description{"r", 1, 1, 57, "abc"}, quick);
    const auto answer = run.admit({"r", "", {"h", 1}, 1, 1});
    const auto& joined = std::get<wire::joined>(answer);
    CHECK(joined.now.round == 57);
    CHECK(joined.now.digest == "abc");
}

TEST_CASE("clients alone make no group, and one that can be dialled is always in it",
          "[membership]")
{
    auto o = quick;
    o.min_group = 1;
    o.max_group = 2;
    bench b(o);
    b.run.admit_host({"h", 1});
    b.report_state_held(0);
    for (int i = 0; i < 3; ++i) b.run.admit(bench::request({}, 0));
    for (const auto id : member_ids{1, 2, 3, 0}) b.report_round_ready(id);
    b.wait(1h);
    CHECK(b.group().empty());
    CHECK(b.run.next_tick() == pa::time_point::max());
    b.report_round_ready(b.join());
    CHECK(b.group() == member_ids{0, 1, 4});
}

TEST_CASE("a miner with another value of an option is told which, and both values", "[membership]")
{
    pa::run_description run{"a run", 100, 7, 0, ""};
    run.settings = {{"--preset", "demo"}, {"--codec", "int8b"}, {"--seed", "1"}};
    pa::membership membership(run, quick);
    auto request = bench::request({}, 1);
    request.configuration = 8;
    request.settings = {{"--preset", "demo"}, {"--codec", "f16"}, {"--seed", "2"}};
    const auto why = [&] { return std::get<wire::refused>(membership.admit(request)).reason; };
    CHECK(why() ==
          "the run has --codec int8b, this member f16, and --seed 1, this member 2: all members "
          "need the same");
    for (auto& s : request.settings) s.value = std::string(255, 'x');
    CHECK(why().size() <= 255);
    request.settings.clear();
    CHECK(why() == "the run is configured differently: model, codec and options must be the same");
}

TEST_CASE("a second member of one identity is refused by the first one's name", "[membership]")
{
    bench b;
    auto request = bench::request("ada", 1);
    request.identity = 5;
    b.run.admit(request);
    auto twin = bench::request("bob", 2);
    twin.identity = 5;
    CHECK(b.refusal(twin) ==
          "member 1 (\"ada\") has the same identity: give each miner a --peer-seed of its own, or "
          "none");
    CHECK(std::get<wire::refused>(b.run.admit(twin)).kind == wire::refusal_kind::temporary);
    b.leave(1);
    CHECK(b.refusal(twin).empty());
}

namespace {

/// Two members that hold the state, and a third that has just joined.
struct joining_bench : bench {
    explicit joining_bench(pa::membership_options o = quick) : bench(o)
    {
        for (int i = 0; i < 2; ++i) report_state_held(join());
        late = join();
    }
    void fetch() { run.report_state_fetching(late, {run.round()}, now); }
    void others_ready()
    {
        for (const auto id : member_ids{1, 2}) report_round_ready(id);
    }
    void round_of_others()
    {
        for (const auto id : member_ids{1, 2})
            report_round(id, true, "after " + std::to_string(run.round()));
    }
    std::uint16_t late = 0;
};

}  // namespace

TEST_CASE("a group that is due is held for a member that fetches the state, and takes it in",
          "[membership]")
{
    joining_bench b;
    b.fetch();
    b.others_ready();
    CHECK(b.group().empty());
    const auto held = b.take<pa::group_held>();
    REQUIRE(held.size() == 1);
    CHECK(held[0].members == member_ids{3});
    CHECK(b.run.next_tick() == pa::time_point(60s));
    b.wait(40s);
    b.report_state_held(b.late);
    CHECK(b.group().empty());
    CHECK(b.take<pa::member_warned>().size() == 1);
    b.wait(2s);
    b.report_round_ready(b.late);
    CHECK(b.group() == member_ids{1, 2, 3});
    const auto ended = b.take<pa::group_hold_ended>();
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].lost == 42s);
    CHECK_FALSE(ended[0].in_vain);
}

TEST_CASE("a group is held no longer than it may be, nor for a member that has left",
          "[membership]")
{
    joining_bench b;
    b.fetch();
    b.others_ready();
    if (GENERATE(true, false))
        b.wait(60s);
    else
        b.leave(b.late);
    CHECK(b.group() == member_ids{1, 2});
    CHECK(b.take<pa::group_hold_ended>().at(0).in_vain);
}

TEST_CASE("a member whose transfer is longer than a round gets in all the same", "[membership]")
{
    joining_bench b;
    b.fetch();
    b.others_ready();
    b.wait(60s);  // in vain
    REQUIRE(b.group() == member_ids{1, 2});
    b.round_of_others();
    b.wait(20s);
    b.run.report_state_held(b.late, {0, ""}, b.now);  // it took 80 s
    CHECK(b.take<pa::member_state_outdated>().size() == 1);
    b.fetch();
    b.others_ready();
    CHECK(b.group() ==
          member_ids{1, 2});  // no two rounds in a row wait, when the first did so in vain
    b.round_of_others();
    b.fetch();
    b.wait(45s);
    b.others_ready();
    CHECK(b.group().empty());  // the transfer's time is known: it will be complete
    b.wait(35s);
    b.report_state_held(b.late);
    b.report_round_ready(b.late);
    CHECK(b.group() == member_ids{1, 2, 3});
}

TEST_CASE("a member that fetches what rounds have left behind is held for until it has the rest",
          "[membership]")
{
    joining_bench b;
    b.others_ready();
    b.run.report_state_fetching(b.late, {0}, b.now);  // while the others average
    b.round_of_others();
    b.others_ready();
    CHECK(b.take<pa::group_held>().size() == 1);
    b.run.report_state_held(b.late, {0, ""}, b.now);
    CHECK(b.take<pa::member_state_outdated>().size() == 1);
    CHECK(b.group().empty());  // it has to fetch once more
    b.fetch();
    b.wait(1s);
    CHECK(b.group().empty());
    b.report_state_held(b.late);
    b.report_round_ready(b.late);
    CHECK(b.group() == member_ids{1, 2, 3});
    CHECK(b.take<pa::group_hold_ended>().size() == 1);
}

TEST_CASE("a group is held for a newcomer whose state a round has left behind as soon as it came",
          "[membership]")
{
    joining_bench b;
    b.others_ready();
    b.fetch();
    b.report_state_held(b.late);  // while the others average
    b.round_of_others();
    b.others_ready();
    CHECK(b.take<pa::group_held>().size() == 1);  // it does not know yet
    b.fetch();
    b.report_state_held(b.late);
    b.report_round_ready(b.late);
    CHECK(b.group() == member_ids{1, 2, 3});
}

TEST_CASE("no group is held for a member that cannot be in time, nor for one that has joined only",
          "[membership]")
{
    joining_bench b;
    b.others_ready();
    REQUIRE(b.group() == member_ids{1, 2});
    b.round_of_others();
    b.run.report_state_fetching(b.late, {2}, b.now);
    b.others_ready();
    REQUIRE(b.group() == member_ids{1, 2});  // there is no such state yet
    b.round_of_others();
    b.wait(1h);
    b.run.report_state_held(b.late, {0, ""}, b.now);
    b.fetch();
    b.others_ready();
    CHECK(b.group() == member_ids{1, 2});  // it takes an hour
}

TEST_CASE("the last member that can give the state stays until nobody is behind", "[membership]")
{
    joining_bench b;
    b.run.report_leaving(1, b.now);
    CHECK(b.take<pa::member_left>().size() == 1);  // the other one can give it
    b.report_round_ready(2);
    b.run.report_leaving(2, b.now);
    const auto kept = b.take<pa::member_kept>();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].id == 2);
    CHECK(b.run.status_for(b.late).donors.size() == 1);
    b.wait(1h);
    CHECK(b.take<pa::group_called>().empty());  // it does not wait for a group any more
    SECTION("they hold it")
    {
        b.fetch();
        b.report_state_held(b.late);
    }
    SECTION("they are gone")
    {
        b.leave(b.late);
    }
    const auto left = b.take<pa::member_left>();
    REQUIRE(!left.empty());
    CHECK(left.back().id == 2);
    CHECK_FALSE(left.back().expelled);
    CHECK_FALSE(b.run.members().contains(2));
}

TEST_CASE("a member that stays for others is called to no group, not even to one of its own",
          "[membership]")
{
    auto alone = quick;
    alone.min_group = 1;
    joining_bench b(alone);
    b.run.report_leaving(1, b.now);
    b.fetch();
    b.report_round_ready(2);
    REQUIRE(b.take<pa::group_held>().size() == 1);
    b.run.report_leaving(2, b.now);
    REQUIRE(b.take<pa::member_kept>().size() == 1);
    b.wait(1h);
    CHECK(b.take<pa::group_called>().empty());
}

TEST_CASE("a member that is behind itself, or that nobody can dial, leaves at once", "[membership]")
{
    joining_bench b;
    const auto behind = b.join();
    b.run.report_leaving(behind, b.now);
    CHECK(b.take<pa::member_left>().size() == 1);
    b.run.report_leaving(1, b.now);
    b.run.announce(2, {}, b.now);  // it does not listen
    b.run.report_leaving(2, b.now);
    CHECK(b.take<pa::member_left>().size() == 2);
}

namespace {

/// A run that its host has resumed at round 9, which members 10, 20 and 30 had settled.
struct resumed_bench : bench {
    explicit resumed_bench(pa::membership_options o = quick)
    {
        pa::run_description again{"a run", 100, 7, 9, "N"};
        again.settled_by = {10, 20, 30};
        run = pa::membership(again, o);
        run.admit_host({"h", 1});
    }

    std::uint16_t come(std::uint64_t identity, std::uint32_t round, const std::string& digest)
    {
        auto request = bench::request({}, next_port++);
        request.identity = identity;
        const auto id = std::get<wire::joined>(run.admit(request)).id;
        run.report_state_held(id, {round, digest}, now);
        return id;
    }
    void ready(std::uint16_t id, std::uint32_t round, const std::string& digest)
    {
        run.report_round_ready(id, {round, digest}, now);
    }
};

}  // namespace

TEST_CASE("a later state that most of the last settled group hold is the run's", "[membership]")
{
    resumed_bench b;
    b.come(10, 10, "X");
    CHECK(b.take<pa::member_state_outdated>().empty());  // it may be right
    b.come(40, 10, "Y");
    CHECK(b.run.round() == 9);
    b.come(20, 10, "X");
    CHECK(b.run.round() == 10);
    const auto status = b.run.status_for(0);
    CHECK(status.digest == "X");
    CHECK(status.donors.size() == 2);
    const auto behind = b.take<pa::member_state_outdated>();
    REQUIRE(behind.size() == 1);
    CHECK(behind[0].id == 2);
    b.ready(1, 10, "X");
    b.ready(3, 10, "X");
    b.wait(10s);
    CHECK(b.group() == member_ids{1, 3});
}

TEST_CASE("who is behind a later state that is adopted learns who can give it", "[membership]")
{
    resumed_bench b;
    b.ready(0, 9, "N");
    b.come(10, 10, "X");
    b.come(40, 9, "N");
    CHECK(b.take<pa::member_state_outdated>().empty());
    b.come(20, 10, "X");
    const auto behind = b.take<pa::member_state_outdated>();
    REQUIRE(behind.size() == 2);
    for (const auto& told : behind) {
        CHECK((told.id == 0 || told.id == 2));
        CHECK(told.now.round == 10);
        CHECK(told.now.donors.size() == 2);
    }
}

TEST_CASE("a host that has come back gives its members their time from when one of them speaks",
          "[membership]")
{
    resumed_bench b;
    b.ready(0, 9, "N");
    CHECK(b.run.next_tick() == pa::time_point::max());
    b.wait(1h);
    b.come(10, 10, "X");
    CHECK(b.run.next_tick() == b.now + 30s);
    b.come(20, 10, "X");
    CHECK(b.run.round() == 10);
}

TEST_CASE("members that are ready before it is known that theirs is the run's state are so then",
          "[membership]")
{
    resumed_bench b;
    b.come(10, 10, "X");
    b.ready(1, 10, "X");
    b.come(20, 10, "X");
    CHECK(b.group().empty());
    b.ready(2, 10, "X");
    CHECK(b.group() == member_ids{1, 2});
}

TEST_CASE("a later state that few hold is not the run's", "[membership]")
{
    resumed_bench b;
    b.come(10, 10, "X");
    b.come(20, 9, "N");
    CHECK(b.take<pa::member_state_outdated>().empty());
    b.come(30, 9, "N");
    CHECK(b.run.round() == 9);
    const auto behind = b.take<pa::member_state_outdated>();
    REQUIRE(behind.size() == 1);
    CHECK(behind[0].id == 1);
}

TEST_CASE("after its host has come back a run waits for most of its last group, but not for ever",
          "[membership]")
{
    resumed_bench b;
    b.come(40, 9, "N");
    b.come(50, 9, "N");
    b.ready(1, 9, "N");
    b.ready(2, 9, "N");
    CHECK(b.group().empty());
    SECTION("they come")
    {
        b.come(10, 9, "N");
        CHECK(b.group().empty());
        b.come(20, 9, "N");
        b.ready(3, 9, "N");
        b.ready(4, 9, "N");
        CHECK(b.group() == member_ids{1, 2, 3, 4});
    }
    SECTION("they do not")
    {
        CHECK(b.run.next_tick() == pa::time_point(30s));
        b.wait(30s);
        CHECK(b.group() == member_ids{1, 2});
    }
}

TEST_CASE("liars that are fewer than half of the last group change nothing", "[membership]")
{
    int adopted = 0;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        INFO("seed " << seed);
        pa::random random(seed);
        resumed_bench b;
        const bool behind = random.below(2) == 0;  // the journal lacks the last round
        std::vector<std::uint64_t> order{10, 20, 30, 40, 50};
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        const std::uint64_t liar = 10 * (1 + random.below(3));
        for (const auto identity : order) {
            const bool lies = identity == liar || identity > 30;
            if (lies)
                b.come(identity, static_cast<std::uint32_t>(8 + random.below(5)), "lie");
            else
                b.come(identity, behind ? 10 : 9, behind ? "X" : "N");
            b.wait(pa::duration(random.below(std::uint64_t{3'000'000'000})));
        }
        REQUIRE(b.run.round() == (behind ? 10u : 9u));
        REQUIRE(b.run.status_for(0).digest == (behind ? "X" : "N"));
        adopted += behind;
    }
    CHECK(adopted > 500);
}

TEST_CASE("a loopback address is a client's where others come from other hosts", "[membership]")
{
    auto o = quick;
    o.min_group = 1;
    bench b(o);
    b.run.admit({"a run", "", {"127.0.0.1", 7}, 100, 7}, "127.0.0.1");
    CHECK(b.take<pa::member_unreachable>().empty());
    b.report_round_ready(1);
    REQUIRE(b.group() == member_ids{1});
    CHECK(b.current_group()->members[0].role == wire::member_role::full);
    b.report_round(1, true);
    b.run.admit({"a run", "", {"", 8}, 100, 7}, "10.0.0.2");
    CHECK(b.run.members().at(2).at == wire::endpoint{"10.0.0.2", 8});
    REQUIRE(b.take<pa::member_unreachable>().size() == 1);
    b.report_state_held(2);
    b.report_round_ready(1);
    b.report_round_ready(2);
    REQUIRE(b.group() == member_ids{1, 2});
    CHECK(b.current_group()->members[0].role == wire::member_role::client);
    CHECK(b.current_group()->members[1].role == wire::member_role::full);
}

TEST_CASE("members on one host go on without one from afar that none of them can meet",
          "[membership]")
{
    bench b;
    for (std::uint16_t port = 1; port <= 2; ++port)
        b.run.admit({"a run", "", {"127.0.0.1", port}, 100, 7}, "127.0.0.1");
    b.run.admit({"a run", "", {"", 0}, 100, 7}, "10.0.0.2");
    for (const auto id : member_ids{1, 2, 3}) b.report_state_held(id);
    for (const auto id : member_ids{1, 2, 3}) b.report_round_ready(id);
    CHECK(b.group() == member_ids{1, 2});
}

TEST_CASE(
    "a group that waits for a member that can be dialled is called when one tells its address",
    "[membership]")
{
    auto o = quick;
    o.min_group = 1;
    bench b(o);
    b.run.admit({"a run", "", {"", 0}, 100, 7}, "10.0.0.2");
    b.report_state_held(1);
    b.report_round_ready(1);
    CHECK(b.group().empty());
    b.run.announce(1, {"10.0.0.2", 77}, b.now, "10.0.0.2");
    CHECK(b.group() == member_ids{1});
    CHECK(b.run.next_tick() > b.now);
}

TEST_CASE("members are told of a long wait by the longest that a message holds", "[membership]")
{
    auto o = quick;
    o.group_wait = std::chrono::hours(24 * 60);
    bench b(o);
    for (int i = 0; i < 3; ++i) b.report_state_held(b.join());
    b.report_round_ready(1);
    b.report_round_ready(2);
    const auto warned = b.take<pa::member_warned>();
    REQUIRE(warned.size() == 1);
    CHECK(warned[0].warning.within_ms == ~std::uint32_t{});
}

TEST_CASE("no group is called after the rounds that a run is to have", "[membership]")
{
    auto o = quick;
    o.rounds = 1;
    bench b(o);
    for (int i = 0; i < 2; ++i) b.report_state_held(b.join());
    for (const auto id : member_ids{1, 2}) b.report_round_ready(id);
    REQUIRE(b.group() == member_ids{1, 2});
    CHECK_FALSE(b.run.had_all_rounds());
    for (const auto id : member_ids{1, 2}) b.report_round(id, true);
    CHECK(b.run.had_all_rounds());
    for (const auto id : member_ids{1, 2}) b.report_round_ready(id);
    CHECK(b.group().empty());
    CHECK(b.run.next_tick() == pa::time_point::max());
}

TEST_CASE("options that make no run are refused", "[membership]")
{
    const auto refuses = [](const char* name, auto change) {
        auto o = quick;
        change(o);
        CHECK_THROWS_AS(pa::membership(pa::run_description{name, 1, 1, 0, ""}, o),
                        std::system_error);
    };
    refuses("", [](auto&) {});
    refuses("r", [](auto& o) { o.min_group = 0; });
    refuses("r", [](auto& o) { o.max_group = 1; });
    refuses("r", [](auto& o) { o.max_members = 4096; });
    refuses("r", [](auto& o) { o.round_timeout = 0s; });
    refuses("r", [](auto& o) { o.group_wait = pa::duration::max(); });
    refuses("r", [](auto& o) { o.fetch_hold = -1s; });
}

namespace {

/// Members that do anything an honest or a lying one may do, at any time.
class walk {
public:
    explicit walk(std::uint64_t seed) : random_(seed) { b_.run.admit_host({"h", 1}); }

    void step()
    {
        const auto before = b_.run.round();
        act();
        const auto events = b_.take_events();
        for (const auto& e : events) check(e, before);
        REQUIRE(b_.run.members().size() <= static_cast<std::size_t>(quick.max_members) + 1);
        for (const auto& [id, m] : b_.run.members()) {
            REQUIRE(m.id == id);
            if (m.in_group()) REQUIRE(b_.current_group());
            if (m.report_late())
                REQUIRE((m.role == wire::member_role::observer || left_.contains(id)));
        }
        if (b_.current_group()) {
            REQUIRE(b_.run.next_tick() <= b_.now + quick.round_timeout + quick.report_grace);
            REQUIRE(b_.run.next_tick() > b_.now);
        }
    }

    std::uint32_t rounds() const { return b_.run.round(); }
    int failures() const { return failures_; }

private:
    std::uint16_t somebody()
    {
        auto i = b_.run.members().begin();
        std::advance(i, static_cast<std::ptrdiff_t>(random_.below(b_.run.members().size())));
        return i->first;
    }

    void act()
    {
        const auto id = somebody();
        try {
            switch (random_.below(12)) {
            case 0:
                if (random_.below(3) == 0) join();
                break;
            case 1:
                if (id != 0 && random_.below(6) == 0) b_.leave(id);
                break;
            case 2: b_.wait(pa::duration(random_.below(std::uint64_t{3'000'000'000}))); break;
            case 3:
                if (random_.below(2) == 0)
                    b_.run.report_state_fetching(id, {b_.run.round()}, b_.now);
                else
                    b_.report_state_held(id);
                break;
            case 4: b_.run.report_round_ready(id, {b_.run.round() - 1, "", 1, 0, 0}, b_.now); break;
            case 5:
            case 6:
            case 7: b_.report_round_ready(id); break;
            default: report(id);
            }
        } catch (const std::system_error&) {
            if (id != 0) b_.run.expel(id, {"it broke the protocol"}, b_.now);
        }
    }

    void join()
    {
        const auto answer = b_.run.admit(bench::request({}, b_.next_port++));
        const auto* yes = std::get_if<wire::joined>(&answer);
        if (!yes) return;
        REQUIRE(yes->id >= 1);
        last_id_ = std::max(last_id_, yes->id);
    }

    void report(std::uint16_t id)
    {
        const auto found = b_.run.members().find(id);
        if (found == b_.run.members().end() || !found->second.report_due()) return;
        const bool ok = random_.below(8) > 0;
        const auto digest = random_.below(10) == 0 ? "E" : "D";
        const auto& last = last_group_;
        const int culprit = ok ? -1 : static_cast<int>(random_.below(last_id_ + 1u)) - 1;
        wire::round_report told{last.round, last.attempt, ok, ok ? digest : "", 0, 0, 0, culprit};
        if (ok && gone_ != id) told.left = {gone_};
        b_.run.report_round(id, told, b_.now);
    }

    void check(const pa::membership_event& e, std::uint32_t before)
    {
        if (const auto* called = std::get_if<pa::group_called>(&e)) {
            const auto& g = called->group;
            REQUIRE(g.epoch != last_group_.epoch);
            REQUIRE(g.epoch >= 1);
            REQUIRE(g.epoch <= pa::max_epoch);
            REQUIRE(g.round == b_.run.round());
            REQUIRE((g.round != last_group_.round || groups_ == 0 ||
                     g.attempt == last_group_.attempt + 1));
            int contributing = 0;
            for (std::size_t i = 0; i < g.members.size(); ++i) {
                if (i > 0) REQUIRE(g.members[i - 1].id < g.members[i].id);
                contributing += g.members[i].role != wire::member_role::observer;
            }
            REQUIRE(contributing >= quick.min_group);
            REQUIRE(contributing <= quick.max_group);
            last_group_ = g;
            ++groups_;
            gone_ = g.members[random_.below(g.members.size())].id;
            left_.insert(gone_);
        } else if (const auto* ended = std::get_if<pa::group_round_outcome>(&e)) {
            std::size_t agree = 0, voters = 0;
            for (const auto& m : ended->group.members) {
                if (m.role == wire::member_role::observer) continue;
                ++voters;
                const auto r = ended->reports.find(m.id);
                agree +=
                    r != ended->reports.end() && r->second.ok && r->second.digest == ended->digest;
            }
            REQUIRE(ended->ok == (2 * agree > voters && !ended->digest.empty()));
            REQUIRE(ended->group.round + (ended->ok ? 1 : 0) == b_.run.round());
            REQUIRE(b_.run.round() - before <= 1);
            failures_ += !ended->ok;
        }
    }

    pa::random random_;
    bench b_;
    std::uint16_t last_id_ = 0;
    wire::group last_group_{0, 0, 0, 0, {}};
    std::uint16_t gone_ = 0;        // whom most of the last group say that they went on without
    std::set<std::uint16_t> left_;  // all of these
    int groups_ = 0;
    int failures_ = 0;
};

}  // namespace

TEST_CASE("whatever members do, the run's invariants hold", "[membership]")
{
    std::uint32_t rounds = 0;
    int failures = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        INFO("seed " << seed);
        walk w(seed);
        for (int i = 0; i < 3000; ++i) w.step();
        rounds += w.rounds();
        failures += w.failures();
    }
    CHECK(rounds > 100);  // else the walk tests nothing
    CHECK(failures > 100);
}
