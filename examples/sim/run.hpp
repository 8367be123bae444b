#pragma once

#include "scenario.hpp"

#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/sim/carried_message.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example::simulator {

/// The elements of a buffer, bit by bit.
using words = std::vector<std::uint32_t>;

/// How a call ended for one peer: by a report, by an error, by something that no call should throw,
/// or by nothing of these if its process was lost before.
struct peer_end {
    bool died = false;    ///< before the end or after it
    bool stands = false;  ///< was stopped for good
    std::optional<report> success;
    std::optional<call_error> failure;
    std::string other;
    duration began{};
    duration ended{};
    duration went_on{};    ///< when it last went on after it had been stopped
    words given, in, out;  ///< what it gave; its input and output at the end
    std::size_t most_early_bytes = 0;

    bool has_ended() const { return success || failure || !other.empty(); }
};

/// Something that happened, and to whom.
struct happening {
    duration at{};
    std::vector<int> peers;
    std::string what;
};

/// One run of a scenario, and all that there is to judge it by.
struct run_record {
    scenario of;
    std::vector<peer_end> ends;  ///< by rank
    std::vector<happening> timeline;
    bool quiet = false;                          ///< nothing was left to happen at the end
    int flipped = 0;                             ///< bits of data on the way
    std::uint64_t trace = 0;                     ///< a hash of all messages
    std::vector<sim::carried_message> messages;  ///< if they were to be kept
};

/// Runs it until nothing is left to happen.
run_record run(const scenario& s, bool keep_messages = false);

}  // namespace papilio::example::simulator
