#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace papilio::example {

/// An evaluation of the shared model: its mean loss over so many held-out sequences after a round.
struct evaluation {
    double loss = 0;
    std::size_t sequences = 0;
    std::uint32_t round = 0;
    double processor_seconds = 0;  ///< that it has taken
};

/// Says after which rounds the shared model is evaluated, so that evaluations take at most a share
/// of the processor time that passes: the next one may begin once that share of the time since the
/// last one began is as much as the last one took. The first always may.
///
/// All evaluations are over the same sequences, and where time is short they are rarer, not
/// smaller: losses of other sequences differ by more than a round improves, so that a curve through
/// changing samples would show the samples. Time that was not used is not saved up, so that the
/// points lie evenly.
class evaluation_budget {
public:
    using clock = std::chrono::steady_clock;
    using seconds = std::chrono::duration<double>;

    /// `share`, above 0, is of the time of all `processors`. An evaluation that keeps them all busy
    /// may follow the one before at once where it is 1.
    evaluation_budget(double share, unsigned processors) : per_second_(share * processors) {}

    /// An evaluation that began at `begun` has taken so much processor time.
    void took(clock::time_point begun, seconds of_processors)
    {
        begun_ = begun;
        cost_ = of_processors;
    }

    /// Whether the next one may begin.
    bool allows(clock::time_point now) const
    {
        return seconds(now - begun_) * per_second_ >= cost_;
    }

private:
    double per_second_;  // processor time
    clock::time_point begun_{};
    seconds cost_{};
};

}  // namespace papilio::example
