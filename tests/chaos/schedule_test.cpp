#include <chaos/schedule.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace papilio::example::chaos;

namespace {

std::vector<fault> all_kinds()
{
    std::vector<fault> kinds;
    for (const auto& f : faults) kinds.push_back(f.kind);
    return kinds;
}

std::vector<planned_fault> twenty_minutes(std::uint64_t seed, int members = 6)
{
    return schedule({seed, 20, members, 5, all_kinds()});
}

bool strikes(const planned_fault& f, int process)
{
    return f.process == process || (takes_two(f.kind) && f.other == process);
}

}  // namespace

TEST_CASE("equal seeds give equal schedules, and other seeds others", "[schedule]")
{
    CHECK(twenty_minutes(1) == twenty_minutes(1));
    CHECK(twenty_minutes(1) != twenty_minutes(2));
}

TEST_CASE("each kind of fault happens at least five times in twenty minutes", "[schedule]")
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto plan = twenty_minutes(seed);
        INFO("seed " << seed);
        CHECK(plan.size() > 200);
        CHECK(plan.size() < 260);
        for (const auto& f : faults) {
            INFO(f.name);
            CHECK(std::ranges::count(plan, f.kind, &planned_fault::kind) >= 5);
        }
    }
}

TEST_CASE("faults come in order, after a quiet begin and before a quiet end", "[schedule]")
{
    const auto plan = twenty_minutes(3);
    CHECK(std::ranges::is_sorted(plan, {}, &planned_fault::at));
    CHECK(plan.front().at >= 10);
    for (const auto& f : plan) CHECK(f.at + f.lasts <= 20 * 60 - 15);
}

TEST_CASE("a process has one fault at a time, and fewer than half of the members have one",
          "[schedule]")
{
    const int members = GENERATE(3, 4, 6, 9);
    const auto plan = twenty_minutes(4, members);
    for (std::size_t i = 0; i < plan.size(); ++i) {
        int struck = plan[i].process != 0 ? 1 : 0;
        for (std::size_t before = 0; before < i; ++before) {
            if (plan[before].at + plan[before].lasts < plan[i].at) continue;
            CHECK_FALSE(strikes(plan[before], plan[i].process));
            struck += plan[before].process != 0 ? 1 : 0;
        }
        CHECK(2 * struck < members);
    }
}

TEST_CASE("a third of the members is never killed or restarted, and the others are", "[schedule]")
{
    for (const auto& f : twenty_minutes(5)) {
        CHECK(f.process >= 0);
        CHECK(f.process <= 6);
        CHECK((f.other != f.process || !takes_two(f.kind)));
        if (f.kind == fault::kill || f.kind == fault::restart) CHECK(f.process > 2);
        CHECK((f.kind == fault::host_kill) <= (f.process == 0));
    }
}

TEST_CASE("only the kinds that are wanted happen, and without any nothing does", "[schedule]")
{
    const auto plan = schedule({1, 2, 3, 1, {fault::kill, fault::one_way}});
    CHECK_FALSE(plan.empty());
    for (const auto& f : plan) CHECK((f.kind == fault::kill || f.kind == fault::one_way));
    CHECK(schedule({1, 2, 3, 1, {}}).empty());
}

TEST_CASE("a fault befalls those that may miss rounds by it", "[schedule]")
{
    CHECK(befalls({1, fault::stop, 2, 0, 3}, 2));
    CHECK_FALSE(befalls({1, fault::stop, 2, 0, 3}, 0));
    CHECK(befalls({1, fault::link_down, 2, 5, 0}, 5));
    CHECK_FALSE(befalls({1, fault::link_down, 2, 0, 0}, 0));
    CHECK(befalls({1, fault::host_kill, 0, 0, 3}, 0));
    CHECK_FALSE(befalls({1, fault::full_disk, 2, 0, 3}, 2));
}
