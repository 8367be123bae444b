#pragma once

#include "perf/channel.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace papilio::perf {

/// A socket at which peers reach the coordinator, if it did not fork them.
class listener {
public:
    explicit listener(const std::string& path);  ///< a Unix socket
    explicit listener(std::uint16_t port);       ///< a TCP port
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    ~listener();

    /// Waits until the peers of `groups` worker groups have sent their ranks. Returns their
    /// channels by group and rank. Throws after `seconds`, and names the missing ranks. Calls
    /// `watch` repeatedly during the wait; `watch` may throw.
    std::vector<channel> accept_all(int groups, int peers, double seconds,
                                    const std::function<void()>& watch);

private:
    int socket_;
};

/// Connects to the coordinator. Repeats failed attempts for `seconds`, since the coordinator may
/// start later.
channel dial(const std::string& host, std::uint16_t port, double seconds);

/// The local address of a TCP connection.
std::string own_address(const channel& line);

}  // namespace papilio::perf
