#pragma once

#include <papilio/session/session.hpp>
#include <papilio/session/session_host.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

// Members of a run in one process, for tests of sessions.
namespace papilio::test::sessions {

using namespace std::chrono_literals;

using clock_type = std::chrono::steady_clock;

/// A host on this machine that waits for nobody for long.
inline session_host_options quick_host(int min_members = 1)
{
    session_host_options o;
    o.listen = "127.0.0.1:0";
    o.min_members = min_members;
    o.patience = 20s;
    o.resume_wait = 300ms;
    o.round_timeout = 8s;
    return o;
}

inline session_options local(const std::string& name = {})
{
    session_options o;
    o.listen = "127.0.0.1:0";
    o.name = name;
    return o;
}

inline std::vector<float> all_of(float value, std::size_t count = 1000)
{
    return std::vector<float>(count, value);
}

/// The state is the sum of all means.
inline void add_mean(const state_snapshot& from, std::span<const float> mean, state_snapshot& next)
{
    for (std::size_t i = 0; i < mean.size(); ++i) next.spans[0][i] = from.spans[0][i] + mean[i];
}

/// A member that contributes its number, with a state of its own to begin with.
struct crew_member {
    crew_member(const std::string& host, float number)
        : run(host, {all_of(number)}, add_mean, local()), value(number)
    {
    }

    round_result average() { return run.average(all_of(value)); }

    session run;
    float value;
};

/// What threads beside that of the test find wrong: Catch takes assertions of one thread at a time.
inline std::atomic<int> wrong = 0;

inline void expect(bool ok)
{
    if (!ok) ++wrong;
}

/// Calls `work` in threads, with a number from 0 for each.
inline void in_threads(int count, const std::function<void(int)>& work)
{
    {
        std::vector<std::jthread> all;
        for (int i = 0; i < count; ++i) all.emplace_back([&work, i] { work(i); });
    }
    CHECK(wrong.exchange(0) == 0);
}

/// Returns once `holds()`, which something else makes so.
inline void wait_until(const std::function<bool()>& holds)
{
    while (!holds()) std::this_thread::yield();
}

/// Returns once so many members wait for others to average with them.
inline void wait_for_ready(const session_host& host, int count)
{
    wait_until([&] {
        const auto members = host.members();
        return std::ranges::count_if(members, &hosted_member::waits) == count;
    });
}

}  // namespace papilio::test::sessions
