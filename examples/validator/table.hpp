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
    double seconds = 0;       ///< since the run began
    double seconds_left = -1; ///< below 0: not known
};

/// The table of miners: one line about the run, one of headings, one for each miner.
std::string table(const overview& now, const summary& so_far, const headline& h);

/// Shows a table: on a terminal in place of the one before, elsewhere one after the other.
class screen {
public:
    screen();

    /// Whether a table may be drawn as often as one likes.
    bool lively() const { return terminal_; }

    void show(const std::string& table);

    /// A line of its own, above the table.
    void note(const std::string& line);

private:
    void clear();

    bool terminal_;
    std::string shown_;
};

}  // namespace papilio::example
