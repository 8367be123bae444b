#pragma once

#include "checker.hpp"
#include "resources.hpp"
#include "schedule.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example::chaos {

/// A kind of fault that cannot happen here.
struct left_out_kind {
    fault kind{};
    std::string why;
};

/// A fault that has happened, and what came of it. Times in seconds.
struct met_fault {
    planned_fault planned;
    int failed = 0;   ///< attempts at rounds, before the next fault
    int without = 0;  ///< attempts that went on without somebody, before the next fault
    std::optional<double> round_after;  ///< from its begin until the run completed a round
    std::optional<double> back;  ///< from its end until its process had part in a round again
};

/// What a run has shown.
struct findings {
    explicit findings(std::uint64_t seed) : checked(seed) {}

    std::vector<met_fault> faults;
    std::vector<left_out_kind> left_out;
    checker checked;
    double seconds = 0;
    std::uint32_t rounds = 0;  ///< completed
    int with_majority = 0;     ///< attempts that had one: see `judged_attempt`
    int completed_with_majority = 0;
    std::map<int, resource_trend> lasting;  ///< of the processes that live as long as the run
    std::vector<std::string> failures;      ///< sentences
};

/// "the host", "member 3".
std::string process_name(int number);

/// What happens, for people.
std::string to_string(const planned_fault& f);

/// The table of faults, the sums, and the verdict.
std::string to_text(const findings& f);

}  // namespace papilio::example::chaos
