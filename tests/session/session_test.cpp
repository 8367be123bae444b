#include <papilio/session/session.hpp>

#include <papilio/session/problem.hpp>
#include <papilio/session/session_host.hpp>

#include <support/sanitized.hpp>
#include <support/sessions.hpp>
#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;
using namespace pa::test::sessions;

namespace {

/// What this process holds: descriptors and threads.
std::pair<std::size_t, std::size_t> held_by_process()
{
    const auto entries = [](const char* folder) {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(folder), {}));
    };
    return {entries("/proc/self/fd"), entries("/proc/self/task")};
}

std::size_t memory_kib()
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::size_t kib = 0;
        if (word == "VmRSS:" && status >> kib) return kib;
    }
    return 0;
}

}  // namespace

TEST_CASE("the first member's state is the run's, and later ones take it over", "[session]")
{
    const pa::session_host host(quick_host());
    const pa::session first(host.address(), all_of(3), local());
    const pa::session second(host.address(), all_of(5), local());
    CHECK(first.parameters() == all_of(3));
    CHECK(second.parameters() == all_of(3));
    CHECK(second.round() == 0);
    CHECK(host.members().size() == 2);
    CHECK(host.members()[1].holds_state);
}

TEST_CASE("members have the mean of what they give, and the same state after it", "[session]")
{
    const pa::session_host host(quick_host(3));
    std::vector<pa::round_result> how(3);
    in_threads(3, [&](int i) {
        pa::session run(host.address(), all_of(0), local());
        how[static_cast<std::size_t>(i)] = run.average(all_of(static_cast<float>(i + 1)));
        expect(run.parameters() == all_of(2));
    });
    for (const auto& h : how) {
        CHECK(h.averaged);
        CHECK(h.round == 1);
        CHECK(h.attempts == 1);
        CHECK(h.members.size() == 3);
        CHECK(h.left.empty());
    }
}

TEST_CASE("a step that the caller gives makes the next state of the mean", "[session]")
{
    const pa::session_host host(quick_host(2));
    std::optional<crew_member> one(std::in_place, host.address(), 1.f);
    in_threads(2, [&](int i) {
        std::optional<crew_member> other;
        if (i == 1) other.emplace(host.address(), 3.f);
        auto& member = i == 0 ? *one : *other;
        for (int round = 0; round < 3; ++round) {
            const auto how = member.average();
            expect(how.averaged);
            expect(std::ranges::all_of(how.mean, [](float x) { return x == 2; }));
        }
        expect(member.run.state()->spans[0] == all_of(1 + 3 * 2));
        expect(member.run.round() == 3);
    });
}

TEST_CASE("operation, codec and weight are those of the call", "[session]")
{
    const pa::session_host host(quick_host(2));
    in_threads(2, [&](int i) {
        pa::session run(host.address(), all_of(0), local());
        run.average(all_of(i == 0 ? 1.f : 5.f), pa::op_id::weighted_mean, pa::codec_id::int8b,
                    i == 0 ? 3 : 1);
        expect(run.parameters()[0] == Approx(2).epsilon(0.02));
    });
}

TEST_CASE("a round goes on without a member that is gone in the midst of it", "[session]")
{
    const pa::session_host host(quick_host(3));
    std::vector<std::unique_ptr<crew_member>> all(4);
    for (std::size_t i = 0; i < 4; ++i)
        all[i] = std::make_unique<crew_member>(host.address(), static_cast<float>(i));
    in_threads(4, [&](int i) { expect(all[static_cast<std::size_t>(i)]->average().averaged); });
    in_threads(4, [&](int i) {
        auto& mine = all[static_cast<std::size_t>(i)];
        if (i == 3) {
            wait_for_ready(host, 3);
            mine.reset();
            return;
        }
        const auto how = mine->average();
        expect(how.averaged);
        expect(how.members.size() == 3);
        expect(how.mean[0] == 1);
        expect(how.round == 2);
    });
    CHECK(all[0]->run.state()->spans[0] == all[2]->run.state()->spans[0]);
}

TEST_CASE("who is late has the others' state, and is in no mean", "[session]")
{
    auto o = quick_host();
    o.patience = 1s;
    const pa::session_host host(o);
    crew_member one(host.address(), 1), late(host.address(), 5);
    CHECK(one.average().averaged);
    CHECK(one.average().averaged);
    CHECK(late.run.round() == 0);
    wait_until([&] { return late.run.behind(); });
    const auto how = late.average();
    CHECK_FALSE(how.averaged);
    CHECK(how.round == 2);
    CHECK(how.mean.empty());
    CHECK(late.run.state()->spans[0] == all_of(3));
    in_threads(2, [&](int i) { expect((i == 0 ? one : late).average().averaged); });
    CHECK(late.run.state()->spans[0] == all_of(6));
}

TEST_CASE("who was late in the last round has its state from whoever leaves last", "[session]")
{
    std::atomic<int> kept = 0;
    auto o = quick_host();
    o.patience = 100ms;
    o.rounds = 2;
    o.note = [&](const std::string& text) { kept += text.find("it alone can give") != text.npos; };
    const pa::session_host host(o);
    std::optional<crew_member> one(std::in_place, host.address(), 1.f);
    crew_member late(host.address(), 5);
    CHECK(one->average().averaged);
    CHECK(one->average().averaged);
    const std::jthread leaves([&] { one.reset(); });
    wait_until([&] { return kept > 0; });
    CHECK_FALSE(late.average().averaged);
    CHECK(late.run.round() == 2);
    CHECK(late.run.state()->spans[0] == all_of(3));
    CHECK(host.wait_for_end(20s));
}

TEST_CASE("a session that lingers for nothing leaves when it may do so no longer", "[session]")
{
    auto quick = quick_host();
    quick.patience = 100ms;
    const pa::session_host host(quick);
    auto o = local();
    o.linger = 200ms;
    std::optional<pa::session> last(std::in_place, host.address(), all_of(1), o);
    crew_member behind(host.address(), 2);
    CHECK(last->average(all_of(1)).averaged);
    const auto begun = clock_type::now();
    last.reset();
    CHECK(clock_type::now() - begun >= 200ms);
    CHECK(behind.run.round() == 0);
}

TEST_CASE("a session that is destroyed while it averages fails that call at once", "[session]")
{
    const pa::session_host host(quick_host(2));
    auto run = std::make_unique<pa::session>(host.address(), all_of(0), local());
    std::error_code failed;
    std::thread averages([&] { failed = pa::test::thrown_by([&] { run->average(all_of(1)); }); });
    wait_for_ready(host, 1);
    const auto begun = clock_type::now();
    run.reset();
    averages.join();
    CHECK(failed == std::errc::operation_canceled);
    CHECK(clock_type::now() - begun < 10s);  // the host would wait for twice as long
}

TEST_CASE("a member that leaves ends its waits, and averages no more", "[session]")
{
    const pa::session_host host(quick_host(2));
    pa::session run(host.address(), all_of(0), local());
    std::error_code failed;
    {
        const std::jthread averages(
            [&] { failed = pa::test::thrown_by([&] { run.average(all_of(1)); }); });
        wait_for_ready(host, 1);
        run.leave();
    }
    CHECK(failed == std::errc::operation_canceled);
    CHECK(pa::test::thrown_by([&] { run.average(all_of(1)); }) == std::errc::operation_canceled);
    CHECK(run.parameters() == all_of(0));
    wait_until([&] { return host.members().empty(); });
}

TEST_CASE("a run ends when it has had its rounds, and its members know", "[session]")
{
    auto o = quick_host(2);
    o.rounds = 3;
    const pa::session_host host(o);
    in_threads(2, [&](int) {
        pa::session run(host.address(), all_of(0), local());
        int rounds = 0;
        while (!run.over()) rounds += run.average(all_of(1)).averaged;
        expect(rounds == 3);
    });
    CHECK(host.wait_for_end(20s));
    CHECK(host.round() == 3);
}

TEST_CASE("a run goes on from its members' state when its host has begun anew", "[session]")
{
    std::optional<pa::session_host> host(std::in_place, quick_host(2));
    auto again = quick_host(2);
    again.listen = host->address();
    crew_member one(host->address(), 1), other(host->address(), 3);
    const auto round = [&] {
        in_threads(2, [&](int i) { expect((i == 0 ? one : other).average().averaged); });
    };
    round();
    round();
    host->pause();
    host.reset();
    host.emplace(again);
    round();
    CHECK(one.run.round() == 3);
    CHECK(other.run.state()->spans[0] == all_of(1 + 3 * 2));
    CHECK(host->round() == 3);
    int lost = 0;
    while (const auto e = one.run.next_event())
        lost += e->text.find("lost the run") != std::string::npos;
    CHECK(lost == 1);
}

TEST_CASE("a run whose members are all gone begins anew from the state of the next one",
          "[session]")
{
    const pa::session_host host(quick_host());
    {
        crew_member last(host.address(), 1);
        CHECK(last.average().averaged);
    }
    crew_member next(host.address(), 7);
    CHECK(next.run.round() == 0);
    CHECK(next.run.state()->spans[0] == all_of(7));
    CHECK(next.average().averaged);
}

TEST_CASE("a newcomer has the state by the time that it is there, while rounds go on at once",
          "[session]")
{
    const pa::session_host host(quick_host());
    crew_member first(host.address(), 1);
    const std::jthread goes_on([&](std::stop_token stop) {
        while (!stop.stop_requested()) first.average();
    });
    for (int i = 0; i < 5; ++i) {
        crew_member next(host.address(), 9);
        const auto state = next.run.state();
        CHECK(state->spans[0][0] == static_cast<float>(1 + state->round));
        next.value = 1;
        int rounds = 0;
        while (!next.average().averaged && rounds < 3) ++rounds;
        CHECK(rounds < 3);
    }
}

TEST_CASE("what members cannot do is refused with a sentence", "[session]")
{
    const pa::session_host host(quick_host());
    pa::session run(host.address(), all_of(0), local());
    CHECK(pa::test::thrown_by([&] { run.average(all_of(1, 999)); }) == pa::errc::bad_argument);
    const auto join = [&](std::size_t size, pa::session_options o) {
        return pa::test::thrown_by([&] { pa::session(host.address(), all_of(0, size), o); });
    };
    CHECK(join(999, local()) == pa::errc::refused);
    auto other = local();
    other.configuration = 1;
    CHECK(join(1000, other) == pa::errc::refused);
    CHECK(join(0, local()) == pa::errc::bad_argument);
    auto hasty = local();
    hasty.patience = 1ms;
    CHECK_THROWS_AS(pa::session("127.0.0.1:1", all_of(0), hasty), pa::gave_up);
    CHECK_THROWS_WITH(pa::session("127.0.0.1:1", all_of(0), hasty),
                      Catch::Contains("start the host of the run"));
    CHECK(pa::test::thrown_by([] { pa::session("nowhere", all_of(0)); }) == pa::errc::bad_argument);
}

TEST_CASE("an update of another length than those before is refused at once", "[session]")
{
    const pa::session_host host(quick_host());
    crew_member stepping(host.address(), 1);
    CHECK(stepping.average().averaged);
    CHECK_THROWS_WITH(stepping.run.average(all_of(1, 999)),
                      Catch::Contains("the update has 999 elements, those of earlier rounds 1000"));
    CHECK(pa::test::thrown_by([&] { stepping.run.average(all_of(1, 999)); }) ==
          pa::errc::bad_argument);
    CHECK(stepping.average().averaged);

    const pa::session_host other(quick_host());
    pa::session plain(other.address(), all_of(1), local());
    CHECK_THROWS_WITH(plain.average(all_of(1, 1001)),
                      Catch::Contains("the update has 1001 elements, the state 1000"));
}

TEST_CASE("a step that throws costs its member the run, and nobody else", "[session]")
{
    const pa::session_host host(quick_host());
    int calls = 0;
    const auto step = [&](const pa::state_snapshot& from, std::span<const float> mean,
                          pa::state_snapshot& next) {
        if (++calls == 1) throw std::runtime_error("no step");
        add_mean(from, mean, next);
    };
    pa::session run(host.address(), {all_of(0)}, step, local());
    CHECK_THROWS_WITH(run.average(all_of(1)), "no step");
    CHECK(run.average(all_of(1)).averaged);
    CHECK(run.parameters() == all_of(1));
}

TEST_CASE("a member tells who came, who went and what it did itself", "[session]")
{
    const pa::session_host host(quick_host());
    crew_member one(host.address(), 1);
    {
        crew_member other(host.address(), 2);
        in_threads(2, [&](int i) { (i == 0 ? one : other).average(); });
    }
    wait_until([&] { return host.members().size() == 1; });
    one.average();
    std::vector<pa::session_news> seen;
    int joins_told = 0;
    while (const auto e = one.run.next_event()) {
        joins_told += e->text.find("joined the run") != std::string::npos;
        if (e->what == pa::session_news::said) continue;
        seen.push_back(e->what);
        CHECK(e->text.find("member " + std::to_string(e->member)) != std::string::npos);
    }
    using news = pa::session_news;
    CHECK(seen == std::vector{news::joined, news::came, news::went});
    CHECK(joins_told == 1);
}

TEST_CASE("several threads may call a session at the same time", "[session]")
{
    const pa::session_host host(quick_host());
    pa::session run(host.address(), all_of(1), local());
    std::atomic<int> averaged = 0;
    in_threads(4, [&](int i) {
        for (int k = 0; k < 20; ++k) {
            if (i < 2) averaged += run.average(all_of(1)).averaged;
            if (i == 2) {
                const auto state = run.state();
                expect(state->spans[0] == all_of(1));
            }
            run.next_event();
            run.behind();
            run.closing_in();
            host.members();
            expect(!run.over());
        }
    });
    CHECK(averaged == 40);
    CHECK(run.round() == 40);
}

TEST_CASE("a session may be destroyed at any moment of a round", "[session]")
{
    auto o = quick_host(2);
    o.round_timeout = 400s;  // an eighth of it would be waited for members that nobody has met
    const pa::session_host host(o);
    crew_member one(host.address(), 1), other(host.address(), 1);
    for (int i = 0; i < 6; ++i) {
        auto run = std::make_unique<crew_member>(host.address(), 1.f);
        std::thread averages([member = run.get()] {
            try {
                member->average();
            } catch (const std::system_error& failure) {
                expect(failure.code() == std::errc::operation_canceled);
            }
        });
        wait_for_ready(host, 1);
        const auto begun = clock_type::now();
        in_threads(3, [&](int k) {
            if (k < 2) {
                expect((k == 0 ? one : other).average().averaged);
                return;
            }
            std::this_thread::sleep_for(i * 600us);
            run.reset();
            averages.join();
        });
        CHECK(clock_type::now() - begun < 30s);
    }
    CHECK(one.run.state()->spans[0] == other.run.state()->spans[0]);
}

TEST_CASE("every mean is right while members go and others join", "[session]")
{
    auto o = quick_host();
    o.patience = 300ms;  // rounds need not have everybody
    o.round_timeout = 4s;
    const pa::session_host host(o);
    constexpr int enough = pa::test::sanitized ? 30 : 60;
    std::mutex guard;
    std::map<std::uint16_t, float> numbers;
    std::atomic<int> means = 0, next_number = 1;
    in_threads(6, [&](int i) {
        while (means < enough) {
            const auto number = static_cast<float>(next_number++);
            crew_member member(host.address(), number);
            {
                const std::lock_guard lock(guard);
                numbers[member.run.id()] = number;
            }
            for (int k = 0; k < 3 + 2 * i && means < enough; ++k) {
                const auto how = member.average();
                if (!how.averaged) continue;
                const std::lock_guard lock(guard);
                ++means;
                const auto known = [&](const auto& m) { return numbers.contains(m.id); };
                if (!std::ranges::all_of(how.members, known)) continue;  // one has come back
                double sum = 0;
                for (const auto& m : how.members) sum += numbers.at(m.id);
                const auto mean = sum / static_cast<double>(how.members.size());
                expect(static_cast<double>(how.mean[0]) == Approx(mean));
                expect(how.mean[0] == how.mean[999]);
            }
        }
    });
    CHECK(next_number > 6);
}

TEST_CASE("a thousand sessions that come and go leave nothing behind", "[session]")
{
    auto o = quick_host();
    o.resume_wait = 0s;  // each is the only one that holds the state
    const pa::session_host host(o);
    const auto open_some = [&](int count) {
        for (int i = 0; i < count; ++i) {
            pa::session run(host.address(), all_of(1), local());
            if (i % 10 == 0) CHECK(run.average(all_of(1)).averaged);
        }
    };
    open_some(100);
    const auto held = held_by_process();
    const auto kib = memory_kib();
    open_some(pa::test::sanitized ? 100 : 900);
    wait_until([&] { return host.members().empty(); });
    CHECK(held_by_process().second == held.second);
    CHECK(held_by_process().first <= held.first + 1);
    if (!pa::test::sanitized) CHECK(memory_kib() < kib + 8192);
}
