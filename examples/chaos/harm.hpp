#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace papilio::example::chaos {

/// When something was wrong with each process of the run, by what was done to it. Whoever was
/// harmed in an attempt at a round may be missed in it.
class harm {
public:
    explicit harm(std::size_t processes) : all_(processes) {}

    /// Whether something is wrong with a process, from now on.
    void note(int process, bool harmed, double now);

    /// Something was wrong with it between these times.
    void add(int process, double from, double to) { of(process).past.push_back({from, to}); }

    /// Whether something was wrong with it at any time between these two.
    bool any(int process, double from, double to) const;

private:
    struct span {
        double from;
        double to;
    };
    struct history {
        std::vector<span> past;
        std::optional<double> since;  // something is wrong
    };

    history& of(int process) { return all_.at(static_cast<std::size_t>(process)); }

    std::vector<history> all_;  // by process
};

}  // namespace papilio::example::chaos
