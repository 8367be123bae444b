#pragma once

#include <papilio/session/run_client.hpp>
#include <papilio/swarm/rendezvous_options.hpp>

#include <chrono>

// Of the run, which is to meet many faults in little time: what takes minutes among machines takes
// seconds here.
namespace papilio::example::chaos {

inline constexpr auto step_takes = std::chrono::milliseconds(50);
inline constexpr std::uint64_t steps_in_a_round = 4;
inline constexpr auto idle_link_ends = std::chrono::seconds(5);
inline constexpr auto rendezvous_answers = std::chrono::seconds(10);
inline constexpr double patience_seconds = 120;

inline rendezvous_options rendezvous_timing()
{
    rendezvous_options o;
    o.groups.min_group = 2;
    o.groups.group_wait = std::chrono::seconds(2);
    o.groups.round_timeout = std::chrono::seconds(10);
    o.groups.report_grace = std::chrono::seconds(5);
    o.groups.fetch_hold = std::chrono::seconds(5);
    o.groups.resume_wait = std::chrono::seconds(10);
    o.idle_timeout = std::chrono::seconds(15);
    return o;
}

}  // namespace papilio::example::chaos
