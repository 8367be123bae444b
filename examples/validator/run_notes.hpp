#pragma once

#include <papilio/swarm/membership_events.hpp>

#include <cstdint>
#include <functional>
#include <string>

// What people are told of a run, beside its rounds.
namespace papilio::example {

/// "miner 3 (ada)".
std::string label(std::uint16_t id, const std::string& name);

/// A line about the members without which a round ended, as those tell that settled it; empty:
/// everybody was in it. `label_of` names a member.
std::string note_on_departures(const group_round_outcome& round,
                               const std::function<std::string(std::uint16_t)>& label_of);

/// A line about what the rules of a run, which has had so many rounds, have led to; empty for what
/// is told elsewhere, or not at all.
std::string note_on(const membership_event& what, std::uint32_t rounds_done);

}  // namespace papilio::example
