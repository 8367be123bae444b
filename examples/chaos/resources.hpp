#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace papilio::example::chaos {

/// What a process holds at one time.
struct resources {
    int descriptors = 0;
    int threads = 0;
    std::uint64_t memory = 0;  ///< bytes in memory: VmRSS
};

/// Nothing once the process has ended.
std::optional<resources> resources_of(pid_t pid);

/// For how many seconds one of its threads has waited for a processor; 0 where the system does not
/// say.
double waited_for_processor(pid_t pid);

/// How the resources of a process changed, by samples at times when it does the same, each second
/// or less often: the medians of the first and of the second half of them.
class resource_trend {
public:
    void add(const resources& now) { samples_.push_back(now); }

    /// Whether there are enough samples for a median, and to tell a trend from what comes with each
    /// fault: these are minutes.
    bool known() const { return samples_.size() >= 20; }
    bool may_judge() const { return samples_.size() >= 200; }
    resources first() const { return median_of(0); }
    resources last() const { return median_of(samples_.size() - samples_.size() / 2); }

    /// What grew beyond bounds: by more than 4 descriptors, or a thread, beyond the most that it
    /// ever had in the first half; by 16 MiB and a tenth of the memory. Empty: nothing, or there is
    /// too little to judge by.
    std::string growth() const;

private:
    resources median_of(std::size_t begin) const;
    int most_at_first(int resources::*figure) const;

    std::vector<resources> samples_;
};

/// Keeps a process of the run from opening anything; until `allow_descriptors`.
void forbid_descriptors(pid_t pid);
void allow_descriptors(pid_t pid);

/// Lets all that `pid` writes to files fail, as on a full disk; until `free_disk`.
void fill_disk(pid_t pid);
void free_disk(pid_t pid);

}  // namespace papilio::example::chaos
