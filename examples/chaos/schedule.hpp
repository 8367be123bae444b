#pragma once

#include "faults.hpp"

#include <cstdint>
#include <vector>

namespace papilio::example::chaos {

struct schedule_options {
    std::uint64_t seed = 1;
    double minutes = 20;
    int members = 6;           ///< at least 3, numbered from 1; the host is 0
    double every = 5;          ///< seconds between faults, on average
    std::vector<fault> kinds;  ///< those that happen
};

/// A fault that is to happen.
struct planned_fault {
    double at = 0;  ///< seconds after the begin
    fault kind{};
    int process = 0;   ///< that it happens to; 0: the host
    int other = 0;     ///< if it is about two: the other one
    double lasts = 0;  ///< seconds; 0: no longer than a moment
    friend bool operator==(const planned_fault&, const planned_fault&) = default;
};

/// Whether a fault may keep a process from its part in rounds. A full disk does not, and the host
/// does without a member as long as its own process lives.
constexpr bool befalls(const planned_fault& f, int process)
{
    if (f.kind == fault::full_disk) return false;
    return f.process == process || (takes_two(f.kind) && f.other == process && process != 0);
}

/// When each fault happens, and to whom: equal options give equal schedules. All kinds take turns,
/// in a new order each time. Faults overlap, but as long as one lasts, and for a few seconds more,
/// its processes are spared the next ones; and fewer than half of the members have one at a time.
/// The first members, a third of all, are never killed or restarted. The first ten seconds and the
/// last fifteen are quiet.
std::vector<planned_fault> schedule(const schedule_options& o);

/// How many members live as long as the run.
constexpr int lasting_members(int members)
{
    return members / 3;
}

}  // namespace papilio::example::chaos
