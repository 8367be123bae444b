#pragma once

#include "child_report.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace papilio::example::chaos {

/// Holds what processes of the run report against what can be known: each number of each mean
/// against float64 over the contributors that were reported with it; what members of one attempt
/// return, bit for bit, against each other; and so the states after a round.
class checker {
public:
    explicit checker(std::uint64_t seed) : seed_(seed) {}

    /// What a process said, and a sentence for each thing that is wrong with it.
    std::vector<std::string> add(int process, const attempt_ended& a);
    std::vector<std::string> add(int process, std::uint32_t round, const std::string& digest);

    std::uint64_t results() const { return results_; }
    std::uint64_t numbers() const { return numbers_; }
    std::uint64_t wrong_numbers() const { return wrong_; }
    std::uint64_t states() const { return states_seen_; }
    std::uint64_t different() const { return different_; }

private:
    struct first_result {
        int process = 0;
        std::uint64_t checksum = 0;
        std::vector<contributed_range> made_of;
    };
    struct first_state {
        int process = 0;
        std::string digest;
    };

    std::uint64_t seed_;
    std::map<std::string, first_result> attempts_;  // by group, of the latest ones
    std::deque<std::string> latest_;                // their groups, oldest first
    std::map<std::uint32_t, first_state> states_;   // by round
    std::uint64_t results_ = 0;
    std::uint64_t numbers_ = 0;
    std::uint64_t wrong_ = 0;
    std::uint64_t states_seen_ = 0;
    std::uint64_t different_ = 0;
};

}  // namespace papilio::example::chaos
