#pragma once

#include <trainer/trainer.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace papilio::example {

/// Tells the person before the screen how training goes: a line that is redrawn on a terminal, now
/// and then a line elsewhere.
class progress {
public:
    /// `total_steps` and `minutes` say when the run ends, as far as that is known; else 0.
    progress(std::uint64_t total_steps, double minutes);

    /// A step was taken. `left_in_round` steps remain until the next averaging.
    void step(const step_report& r, std::uint64_t round, std::uint64_t left_in_round);

    /// What goes on instead of steps.
    void waiting(const std::string& line);

    /// Something worth a line of its own.
    void note(const std::string& line);

    /// Seconds that a step takes of late.
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
