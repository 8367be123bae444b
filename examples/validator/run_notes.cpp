#include "run_notes.hpp"

#include <papilio/base/units.hpp>

#include <fmt/format.h>

namespace papilio::example {

std::string label(std::uint16_t id, const std::string& name)
{
    const std::string number = "miner " + std::to_string(id);
    return name.empty() ? number : number + " (" + name + ")";
}

std::string note_on_departures(const group_round_outcome& round,
                               const std::function<std::string(std::uint16_t)>& label_of)
{
    std::string names;
    for (const auto id : round.left()) names += (names.empty() ? "" : ", ") + label_of(id);
    return names.empty() ? ""
                         : fmt::format("round {} goes on without {}", round.group.round + 1, names);
}

std::string note_on(const membership_event& what, std::uint32_t rounds_done)
{
    if (const auto* held = std::get_if<group_held>(&what))
        return fmt::format(
            "round {} waits up to {} for {} the model", rounds_done + 1,
            human_duration(held->limit),
            held->members.size() == 1 ? "a miner that fetches" : "miners that fetch");
    if (const auto* ended = std::get_if<group_hold_ended>(&what))
        return fmt::format("the others have waited {}{}", human_duration(ended->lost),
                           ended->in_vain ? ", in vain" : "");
    if (const auto* adopted = std::get_if<state_adopted>(&what))
        return fmt::format(
            "most of the last group hold the state after round {}: the run goes on "
            "from there",
            adopted->round);
    if (const auto* hidden = std::get_if<member_unreachable>(&what))
        return fmt::format(
            "miner {} listens at {} only, where miners on other hosts cannot dial it: "
            "it owns no part; start it with another --listen or with --announce",
            hidden->id, hidden->at.host);
    return {};
}

}  // namespace papilio::example
