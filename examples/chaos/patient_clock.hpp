#pragma once

#include <algorithm>
#include <chrono>

namespace papilio::example::chaos {

/// Seconds in which this program was running. Where it, or the whole machine, stands still for a
/// while, as on a laptop that sleeps, that counts for a second at most: nobody has missed a
/// deadline then.
class patient_clock {
public:
    using clock = std::chrono::steady_clock;

    explicit patient_clock(clock::time_point begin) : looked_(begin) {}

    double now(clock::time_point time) const
    {
        return passed_ + std::min(seconds(time - looked_), longest);
    }

    /// To be called now and then. True: it has stood still since the last time.
    bool look(clock::time_point time)
    {
        const bool stood_still = seconds(time - looked_) > longest;
        passed_ = now(time);
        looked_ = time;
        return stood_still;
    }

    /// Counts anew from here.
    void restart(clock::time_point time)
    {
        passed_ = 0;
        looked_ = time;
    }

private:
    static constexpr double longest = 1;

    static double seconds(clock::duration d) { return std::chrono::duration<double>(d).count(); }

    double passed_ = 0;
    clock::time_point looked_;
};

}  // namespace papilio::example::chaos
