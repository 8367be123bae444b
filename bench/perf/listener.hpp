#pragma once

#include "perf/channel.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace papilio::perf {

/// Where peers that were not forked reach the coordinator.
class listener {
public:
    explicit listener(const std::string& path);  ///< in the file system
    explicit listener(std::uint16_t port);       ///< of TCP
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener();

    /// Waits until the peers of `groups` worker groups have said who they are, and returns their
    /// channels by worker group and rank. Throws with the ranks that are missing after so many
    /// seconds; meanwhile calls `watch` now and then, which may throw.
    std::vector<channel> accept_all(int groups, int peers, double seconds,
                                    const std::function<void()>& watch);

private:
    int socket_;
};

/// Connects to the coordinator, who may not listen yet: tries for so many seconds.
channel dial(const std::string& host, std::uint16_t port, double seconds);

/// The address of this end of a TCP connection.
std::string own_address(const channel& line);

}  // namespace papilio::perf
