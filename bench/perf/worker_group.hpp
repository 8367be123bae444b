#pragma once

#include "perf/backend.hpp"
#include "perf/channel.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// What all peers of a worker group found together.
struct measurement {
    std::vector<double> seconds;  ///< of each iteration, until the last peer was done
    bool measures_wire = false;
    bool same_bits = true;  ///< all peers hold the same result
    std::uint64_t digest = 0;
    std::uint64_t wrong = 0;  ///< elements, of the peer that has most
    int lost = 0;
    double wire_bytes = 0;         ///< sent by all peers, per call
    double relative_error = 0;     ///< root of the mean square, relative to the truth's
    double processor_seconds = 0;  ///< of all peers, per call
    double peak_bytes = 0;         ///< of the peer that took most
};

/// Puts the outcomes of all peers together.
measurement combine(const job& j, const std::vector<outcome>& outcomes);

/// The peers that run one system, between jobs asleep.
class worker_group {
public:
    worker_group() = default;
    worker_group(const worker_group&) = delete;
    worker_group& operator=(const worker_group&) = delete;
    virtual ~worker_group() = default;

    /// Does a job; nothing where the system cannot. Throws when a peer fails or dies, or says
    /// nothing for so many seconds, and names it.
    virtual std::optional<measurement> run(const job& j, double patience) = 0;
};

/// Peers at the other ends of channels.
class remote_workers : public worker_group {
public:
    explicit remote_workers(std::vector<channel> lines = {}) : lines_(std::move(lines)) {}
    std::optional<measurement> run(const job& j, double patience) override;

protected:
    std::vector<channel> lines_;  ///< by rank

private:
    std::vector<message> hear_all(double patience);
};

/// A process that runs `life`, and is killed with this.
class child_process {
public:
    explicit child_process(const std::function<bool()>& life);
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process();

private:
    pid_t process_;
};

/// Peers in processes of this machine, forked.
class forked_workers final : public remote_workers {
public:
    /// What the process of a rank does until its line ends, and whether it ended well.
    using life = std::function<bool(int rank, channel& line)>;
    forked_workers(int peers, const life& body);
    ~forked_workers() override;

private:
    std::vector<pid_t> children_;
};

/// Runs each of `lives` in a process of its own until all have ended. Returns whether all ended
/// well, and throws when interrupted.
bool run_children(const std::vector<std::function<bool()>>& lives);

/// Peers that are threads of one process, which is forked.
class threaded_workers final : public remote_workers {
public:
    threaded_workers(int peers, const std::function<bool(int rank, channel& line)>& body);
    ~threaded_workers() override;

private:
    pid_t child_ = -1;
};

}  // namespace papilio::perf
