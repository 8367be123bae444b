#pragma once

#include "evaluation_budget.hpp"
#include "run_host.hpp"
#include "summary.hpp"

#include <papilio/base/log.hpp>

#include <chrono>
#include <string>

namespace papilio::example {

/// Figures of the run as a whole.
struct run_metrics {
    evaluation latest;
    double entropy = 0;        ///< NaN: the data is no text
    double seconds = 0;        ///< since the run began
    double seconds_left = -1;  ///< below 0: unknown
};

/// One line about the run as a whole.
std::string status_line(const run_snapshot& now, const run_metrics& h);

/// A table of the present miners, with a line of headings. Where `width` is small, columns are left
/// out, but never loss and score.
std::string table(const run_snapshot& now, const summary& so_far,
                  std::size_t width = std::string::npos);

/// Shows the progress of the run: on a terminal a table that is redrawn, elsewhere a line, and the
/// table every 30 seconds, all lines with their time.
class terminal_view {
public:
    terminal_view();

    /// Whether output replaces the previous one, and so may be frequent.
    bool redraws() const { return terminal_; }

    void show(const run_snapshot& now, const summary& so_far, const run_metrics& h);

    /// Prints a line above the table; with time and level where this is no terminal.
    void note(const std::string& line) { print(line, log_level::info); }
    void warn(const std::string& line) { print(line, log_level::warning); }
    void print(const std::string& line, log_level level);

private:
    using clock = std::chrono::steady_clock;

    void clear();

    bool terminal_;
    std::string shown_;
    clock::time_point table_due_{};
};

}  // namespace papilio::example
