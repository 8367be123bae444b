#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::tcp {

/// Where a peer listens: a host, by name or address, and a port. With an empty host it does not
/// listen at all. Has constructors for awaited calls: g++ 12.2 destroys a temporary aggregate twice
/// there.
struct endpoint {
    endpoint() = default;
    endpoint(std::string host_name, std::uint16_t port_number)
        : host(std::move(host_name)), port(port_number)
    {
    }

    std::string host;
    std::uint16_t port = 0;

    friend bool operator==(const endpoint&, const endpoint&) = default;
};

inline std::string to_string(const endpoint& e)
{
    const bool v6 = e.host.find(':') != std::string::npos;
    return (v6 ? '[' + e.host + ']' : e.host) + ':' + std::to_string(e.port);
}

}  // namespace papilio::tcp
