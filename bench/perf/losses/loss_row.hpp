#pragma once

#include "perf/losses/losing_group.hpp"
#include "perf/losses/scenario.hpp"
#include "perf/requirement.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// A call that has lost peers, beside calls that have not. Times are seconds.
struct loss_row {
    std::string lost;  ///< as the command line has it
    std::uint64_t count = 0;
    double all_time = 0;   ///< of a call without losses, among all
    double left_time = 0;  ///< the same among those who were left

    double at = 0;         ///< when the first one was lost, since the call's begin
    double detection = 0;  ///< for how long one was lost and missed by nobody
    double after = 0;      ///< from the last loss to the end of the last one that was left
    double took = 0;       ///< from the begin to that end

    /// The same call anew among those who are left, when the last loss is noticed: from the begin.
    double restart = 0;

    int view = 0;
    std::uint64_t made_again = 0;                  ///< elements
    std::map<std::size_t, std::uint64_t> made_of;  ///< by number of contributors: elements
    std::string lost_ends;                         ///< how the call ended for those who were lost
    std::vector<std::string> failures;             ///< what must not be

    /// What the call took, but for the detection, over a call of those who were left.
    double ratio() const { return (took - detection) / left_time; }
};

/// What one call says. `all_time` and `left_time` are set by others.
loss_row loss_row_of(const scenario& s, const loss_outcome& found, double all_time,
                     double left_time);

void print_loss_head();
void print_loss_row(const loss_row& r);

/// Whether a requirement may name this measure.
bool measures_losses(std::string_view measure);

/// Prints a line for each requirement and row. Returns whether all are met. A subject selects the
/// scenarios whose texts begin with it.
bool check_loss_requirements(const std::vector<requirement>& all,
                             const std::vector<loss_row>& rows);

}  // namespace papilio::perf
