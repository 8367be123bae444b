#pragma once

#include "perf/backend.hpp"
#include "perf/channel.hpp"

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// The combined result of all peers of a worker group.
struct measurement {
    std::vector<double> seconds;  ///< of each iteration, until the last peer has finished
    bool measures_wire = false;
    bool same_bits = true;  ///< all peers hold the same result
    std::uint64_t digest = 0;
    std::uint64_t wrong = 0;  ///< elements, in the peer with the most
    int lost = 0;
    double wire_bytes = 0;         ///< sent by all peers, per call
    double relative_error = 0;     ///< root mean square of the error over that of the truth
    double processor_seconds = 0;  ///< of all peers, per call
    double wakes = 0;              ///< of a peer, per call
    double peak_bytes = 0;         ///< of the peer that took most
};

/// Combines the outcomes of all peers.
measurement combine(const job& j, const std::vector<outcome>& outcomes);

/// The peers that run one system. They sleep between jobs.
class worker_group {
public:
    worker_group() = default;
    worker_group(const worker_group&) = delete;
    worker_group& operator=(const worker_group&) = delete;
    virtual ~worker_group() = default;

    /// Runs a job. Returns nothing if the system does not support it. Throws if a peer fails, ends,
    /// or is silent for `patience` seconds, and names the peer.
    virtual std::optional<measurement> run(const job& j, double patience) = 0;
};

/// Peers that are reached through channels.
class remote_workers : public worker_group {
public:
    explicit remote_workers(std::vector<channel> lines = {}) : lines_(std::move(lines)) {}
    std::optional<measurement> run(const job& j, double patience) override;

protected:
    std::vector<channel> lines_;  ///< by rank

private:
    std::vector<message> receive_all(double patience);
};

/// A process that runs `life`. The destructor kills it.
class child_process {
public:
    explicit child_process(const std::function<bool()>& life);
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;
    ~child_process();

    void signal(int number) const;

private:
    pid_t process_;
};

/// Peers in forked processes of this machine.
class forked_workers final : public remote_workers {
public:
    /// The main function of a rank's process. It runs until its channel closes, and returns true if
    /// it ended well.
    using life = std::function<bool(int rank, channel& line)>;
    forked_workers(int peers, const life& body);
    ~forked_workers() override;

private:
    std::vector<pid_t> children_;
};

/// Runs each of `lives` in a process of its own and waits for all. Returns true if all ended well.
/// Throws on an interrupt.
bool run_children(const std::vector<std::function<bool()>>& lives);

/// Peers in threads of one forked process.
class threaded_workers final : public remote_workers {
public:
    threaded_workers(int peers, const std::function<bool(int rank, channel& line)>& body);
    ~threaded_workers() override;

private:
    pid_t child_ = -1;
};

}  // namespace papilio::perf
