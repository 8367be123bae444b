#pragma once

#include "run_host.hpp"
#include "thresholds.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example {

/// The result of one miner in one attempt at a round.
struct verdict {
    std::uint16_t miner = 0;
    std::string name;
    wire::endpoint at;

    /// "averaged"; "differs": it reported another digest; "failed": the attempt failed; "silent":
    /// its report did not arrive in time; "absent": it was not in the group.
    std::string status;

    // Payload bytes.
    std::uint64_t sent = 0;         ///< to the other miners, as this miner reports
    std::uint64_t received = 0;     ///< from them, as it reports
    std::uint64_t butterfly = 0;    ///< that a direct butterfly makes it send to them
    std::uint64_t to_observer = 0;  ///< to the validator, as that counts
    std::uint64_t part = 0;         ///< size of its part, which it must send to the validator

    double seconds = 0;  ///< that it spent in the all-reduce
    std::string digest;  ///< of the state that it reports
    measured_link link;
    bool took_part = false;
    std::optional<bool> meets_demands;  ///< nothing: its link has not been measured yet

    /// As long as nothing is known of the link, to have taken part in the round is enough.
    double score() const { return took_part && meets_demands.value_or(true) ? 1 : 0; }
};

/// The verdict on each miner, by id.
std::vector<verdict> judge(const observation& o, const thresholds& required, round_codec codec,
                           std::size_t parameters);

/// The line for --scores.
nlohmann::ordered_json to_json(const verdict& v, const observation& o,
                               std::optional<double> held_out_loss);

}  // namespace papilio::example
