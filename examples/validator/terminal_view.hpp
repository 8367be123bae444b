#pragma once

#include "run_host.hpp"
#include "summary.hpp"

#include <chrono>
#include <string>

namespace papilio::example {

/// Figures of the run as a whole.
struct run_metrics {
    double held_out_loss = 0;
    double entropy = 0;
    double seconds = 0;        ///< since the run began
    double seconds_left = -1;  ///< below 0: unknown
};

/// One line about the run as a whole.
std::string status_line(const run_snapshot& now, const run_metrics& h);

/// A table of the present miners, with a line of headings.
std::string table(const run_snapshot& now, const summary& so_far);

/// Shows the progress of the run: on a terminal a table that is redrawn, elsewhere a line, and the
/// table every 30 seconds.
class terminal_view {
public:
    terminal_view();

    /// Whether output replaces the previous one, and so may be frequent.
    bool redraws() const { return terminal_; }

    void show(const run_snapshot& now, const summary& so_far, const run_metrics& h);

    /// Prints a line above the table.
    void note(const std::string& line);

private:
    using clock = std::chrono::steady_clock;

    void clear();

    bool terminal_;
    std::string shown_;
    clock::time_point table_due_{};
};

}  // namespace papilio::example
