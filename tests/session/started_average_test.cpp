#include <papilio/session/session.hpp>

#include <support/sessions.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using namespace pa::test::sessions;

namespace {

bool is_ready(const std::future<pa::round_result>& call)
{
    return call.wait_for(0s) == std::future_status::ready;
}

std::error_code end_of(std::future<pa::round_result>& call)
{
    return pa::test::thrown_by([&] { call.get(); });
}

}  // namespace

TEST_CASE("a member trains on while an average that it has started is under way", "[session]")
{
    const pa::session_host host(quick_host(2));
    crew_member one(host.address(), 1), other(host.address(), 3);
    const auto update = all_of(1);
    auto call = one.run.start().average(update);
    wait_for_ready(host, 1);
    CHECK_FALSE(is_ready(call));
    CHECK(one.run.state()->spans[0] == all_of(1));
    CHECK_FALSE(one.run.over());
    CHECK(other.average().averaged);
    const auto how = call.get();
    CHECK(how.averaged);
    CHECK(how.mean[0] == 2);
    CHECK(how.round == 1);
    CHECK(one.run.state()->spans[0] == all_of(3));
    CHECK(other.run.state()->spans[0] == all_of(3));
}

TEST_CASE("averages are made in the order in which they were asked for, and keep their means",
          "[session]")
{
    const pa::session_host host(quick_host());
    crew_member only(host.address(), 0);
    const auto first = all_of(1), second = all_of(2);
    auto one = only.run.start().average(first);
    auto two = only.run.start().average(second);
    const auto third = only.run.average(all_of(3));
    CHECK(is_ready(one));
    CHECK(is_ready(two));
    const auto how = one.get(), next = two.get();
    CHECK(how.round == 1);
    CHECK(how.mean[999] == 1);
    CHECK(next.round == 2);
    CHECK(next.mean[999] == 2);
    CHECK(third.round == 3);
    CHECK(third.mean[999] == 3);
}

TEST_CASE("the mean of a state that is averaged itself lasts as long as the result", "[session]")
{
    const pa::session_host host(quick_host());
    std::optional<pa::session> run(std::in_place, host.address(), all_of(0), local());
    const auto how = run->average(all_of(1));
    CHECK(run->average(all_of(2)).mean[0] == 2);
    run.reset();
    CHECK(how.mean[999] == 1);
}

TEST_CASE("averages that were started have failed when their session is gone", "[session]")
{
    const pa::session_host host(quick_host(2));
    std::optional<crew_member> member(std::in_place, host.address(), 1.f);
    const auto update = all_of(1);
    const auto started = member->run.start();
    auto under_way = started.average(update), queued = started.average(update);
    wait_for_ready(host, 1);
    const auto begun = clock_type::now();
    member.reset();
    CHECK(clock_type::now() - begun < 10s);  // the host would wait for twice as long
    REQUIRE(is_ready(under_way));
    REQUIRE(is_ready(queued));
    CHECK(end_of(under_way) == std::errc::operation_canceled);
    CHECK(end_of(queued) == std::errc::operation_canceled);
    CHECK(pa::test::thrown_by([&] { started.average(update); }) == std::errc::operation_canceled);
}

TEST_CASE("an average that was started ends where its session leaves", "[session]")
{
    const pa::session_host host(quick_host(2));
    crew_member member(host.address(), 1);
    const auto update = all_of(1);
    auto call = member.run.start().average(update);
    wait_for_ready(host, 1);
    member.run.leave();
    CHECK(end_of(call) == std::errc::operation_canceled);
    auto late = member.run.start().average(update);
    CHECK(end_of(late) == std::errc::operation_canceled);
}

TEST_CASE("what is wrong with an average that is started, its future says", "[session]")
{
    const pa::session_host host(quick_host());
    pa::session run(host.address(), all_of(0), local());
    const auto longer = all_of(1, 1001);
    auto call = run.start().average(longer);
    CHECK(end_of(call) == pa::errc::bad_argument);
}

TEST_CASE("several threads may start averages of a session at the same time", "[session]")
{
    const pa::session_host host(quick_host());
    crew_member only(host.address(), 0);
    constexpr std::size_t each = 10;
    std::vector<std::vector<std::uint32_t>> rounds(4);
    in_threads(4, [&](int i) {
        auto& mine = rounds[static_cast<std::size_t>(i)];
        const auto update = all_of(1);
        std::vector<std::future<pa::round_result>> calls;
        for (std::size_t k = 0; k < each; ++k) {
            if (i == 0)
                mine.push_back(only.run.average(update).round);
            else
                calls.push_back(only.run.start().average(update));
        }
        for (auto& call : calls) {
            const auto how = call.get();
            expect(how.averaged && how.mean[0] == 1);
            mine.push_back(how.round);
        }
        expect(std::ranges::is_sorted(mine));
    });
    std::set<std::uint32_t> all;
    for (const auto& mine : rounds) all.insert(mine.begin(), mine.end());
    CHECK(all.size() == 4 * each);
    CHECK(only.run.state()->spans[0] == all_of(4.f * each));
}
