#pragma once

#include "host.hpp"
#include "thresholds.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example {

/// What the validator says of one miner after one attempt at a round.
struct verdict {
    std::uint16_t miner = 0;
    std::string name;
    wire::endpoint at;

    /// "averaged"; "differs": it came to another result; "failed": it said so; "silent": it said
    /// nothing in time; "absent": it was not in the group.
    std::string status;

    // Payload bytes. What it exchanged with all that vote, as it says, and what the direct
    // butterfly makes it send; what it sent to this member, as this one counts, and the size of
    // its part, which that should be.
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t butterfly = 0;
    std::uint64_t to_observer = 0;
    std::uint64_t part = 0;

    double seconds = 0;  ///< in the all-reduce
    std::string digest;  ///< of the state that it came to
    std::optional<link_figures> link;
    bool took_part = false;
    bool meets_demands = false;

    double score() const { return took_part && meets_demands ? 1 : 0; }
};

/// Everybody's verdict, by id.
std::vector<verdict> judge(const observation& o, const thresholds& demands, round_codec codec,
                           std::size_t parameters);

/// One line for the file of scores.
nlohmann::ordered_json to_json(const verdict& v, const observation& o,
                               std::optional<double> held_out_loss);

}  // namespace papilio::example
