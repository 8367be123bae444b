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

/// How the resources of a process changed, by samples at regular times: the medians of the first
/// and of the second half of them, so that a time without links, or of many, does not count.
class resource_trend {
public:
    void add(const resources& now) { samples_.push_back(now); }

    /// Whether there are enough samples to tell.
    bool known() const { return samples_.size() >= 20; }
    resources first() const { return median_of(0); }
    resources last() const { return median_of(samples_.size() - samples_.size() / 2); }

    /// What grew beyond bounds: by more than 4 descriptors beyond the most that it ever had in the
    /// first half, since a member that is not in the run has no links; by a thread; by 16 MiB and a
    /// tenth of the memory. Empty: nothing.
    std::string growth() const;

private:
    resources median_of(std::size_t begin) const;
    int most_descriptors_at_first() const;

    std::vector<resources> samples_;
};

/// Keeps a process of the run from opening anything; until `allow_descriptors`.
void forbid_descriptors(pid_t pid);
void allow_descriptors(pid_t pid);

/// Lets all that `pid` writes to files fail, as on a full disk; until `free_disk`.
void fill_disk(pid_t pid);
void free_disk(pid_t pid);

}  // namespace papilio::example::chaos
