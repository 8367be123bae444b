#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

struct row;

/// A condition on the results: `eta>=0.95`, `relerr<=0.01`, `papilio/gloo>=1.2`. It must hold at
/// every size, for the median of the runs. The program fails if it does not hold.
struct requirement {
    std::string text;
    std::string subject = "papilio";  ///< a system, or the common beginning of several names
    std::string measure;              ///< a column; empty: the speed relative to `rival`
    std::string rival;
    bool at_least = true;
    double bound = 0;
};

/// Parses a requirement. Ends the program with a message if `text` is wrong.
requirement read_requirement(std::string_view text);

/// Prints a line for each requirement and size. Returns whether all are met. A requirement is not
/// met where there is nothing to compare, or where eta is not valid.
bool check_requirements(const std::vector<requirement>& all, const std::vector<row>& rows);

}  // namespace papilio::perf
