#pragma once

#include "model/settings.hpp"
#include "model/state.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

// The steps that peers make, and how they are told.
namespace papilio::model {

enum class event : std::uint8_t {
    promises,   ///< leaves for `view`, and tells what it brings along
    proposes,   ///< as the coordinator of `view`
    joins,      ///< receives the proposal of `view`, of which it is a member
    leaves,     ///< receives the proposal of `view`, which leaves it out
    clears,     ///< begins to overwrite `chunk`
    reduces,    ///< has contributions of all members of `view`, and writes `chunk`
    receives,   ///< receives `chunk`, reduced in `view`, of `from`
    is_passed,  ///< receives `chunk`, which was reduced before `view`, of `from`
    votes,      ///< holds all that `view` settles on
    succeeds,   ///< knows that `view` is decided, and holds what it settles on
};

struct step {
    event what{};
    int peer = 0;
    int view = 0;
    int chunk = -1;
    int from = -1;

    friend bool operator==(const step&, const step&) = default;
};

/// What a step was; `after` is the state that it led to.
inline std::string text(const settings& of, const step& done, const state& after)
{
    const auto& record = after.views[index(done.view)];
    const auto who = std::to_string(done.peer), view = " view " + std::to_string(done.view);
    const auto chunk = " chunk " + std::to_string(done.chunk);
    const auto from = " from " + std::to_string(done.from) + " in" + view;
    switch (done.what) {
    case event::promises: return who + " promises" + view;
    case event::proposes: {
        auto all = who + " proposes" + view + " of " + text(record.members) + " with versions";
        for (int k = 0; k < of.chunks; ++k) all += " " + std::to_string(record.settled[index(k)]);
        return all;
    }
    case event::joins: return who + " joins" + view;
    case event::leaves: return who + " is left out of" + view;
    case event::clears: return who + " begins to overwrite" + chunk + " in" + view;
    case event::reduces: return who + " reduces" + chunk + " in" + view;
    case event::receives: return who + " receives" + chunk + from;
    case event::is_passed: return who + " is passed" + chunk + from;
    case event::votes: return who + " votes in" + view;
    case event::succeeds: return who + " knows all votes of" + view + " and succeeds";
    }
    return "?";
}

}  // namespace papilio::model
