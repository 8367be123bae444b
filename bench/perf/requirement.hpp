#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

struct row;

/// What must come of a measurement, or the program fails: `eta>=0.95`, `relerr<=0.01`,
/// `papilio/gloo>=1.2`. It holds at every size, for the median of the runs.
struct requirement {
    std::string text;
    std::string subject = "papilio";  ///< a system, or the beginning of several systems' names
    std::string measure;              ///< a column; empty: speed against `rival`
    std::string rival;
    bool at_least = true;
    double bound = 0;
};

/// Ends the program where `text` is not understood.
requirement read_requirement(std::string_view text);

/// Prints a line for each requirement and size. Returns whether all are met. A requirement is not
/// met where there is nothing to compare, or where eta is not valid.
bool check_requirements(const std::vector<requirement>& all, const std::vector<row>& rows);

}  // namespace papilio::perf
