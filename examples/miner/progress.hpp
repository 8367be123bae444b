#pragma once

#include <trainer/training.hpp>

#include <papilio/base/log.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace papilio::example {

/// Shows the progress of training: on a terminal one line that is redrawn, elsewhere a line every
/// ten seconds.
class progress {
public:
    /// `total_steps` and `minutes` limit the run; 0: no limit.
    progress(std::uint64_t total_steps, double minutes);

    /// Reports a step. `left_in_round` steps remain until the next averaging.
    void step(const step_report& r, std::uint64_t round, std::uint64_t left_in_round);

    /// Shows why no steps are taken.
    void waiting(const std::string& line);

    /// Prints a line of its own; with time and level where this is no terminal.
    void note(const std::string& line) { print(line, log_level::info); }
    void warn(const std::string& line) { print(line, log_level::warning); }

    void print(const std::string& line, log_level level);

    /// Moving average of the time that a step takes.
    double seconds_per_step() const { return pace_; }

private:
    using clock = std::chrono::steady_clock;

    std::string time_left(std::uint64_t steps_done) const;
    void draw(const std::string& line);
    void clear();

    bool terminal_;
    std::uint64_t total_steps_;
    double minutes_;
    clock::time_point begun_ = clock::now();
    clock::time_point shown_{};
    double pace_ = 0;
    std::size_t drawn_ = 0;
};

}  // namespace papilio::example
