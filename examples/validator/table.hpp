#pragma once

#include "host.hpp"
#include "summary.hpp"

#include <chrono>
#include <string>

namespace papilio::example {

/// What is shown about the run as a whole.
struct headline {
    double held_out_loss = 0;
    double entropy = 0;
    double seconds = 0;        ///< since the run began
    double seconds_left = -1;  ///< below 0: not known
};

/// One line about the run as a whole.
std::string summary_line(const overview& now, const headline& h);

/// The miners that are there: one line of headings, one for each.
std::string table(const overview& now, const summary& so_far);

/// Shows how the run goes: on a terminal a table in place of the one before; elsewhere a line, and
/// the table every half a minute.
class screen {
public:
    screen();

    /// Whether it may be shown as often as one likes.
    bool lively() const { return terminal_; }

    void show(const overview& now, const summary& so_far, const headline& h);

    /// A line of its own, above the table.
    void note(const std::string& line);

private:
    using clock = std::chrono::steady_clock;

    void clear();

    bool terminal_;
    std::string shown_;
    clock::time_point table_due_{};
};

}  // namespace papilio::example
