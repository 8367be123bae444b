#pragma once

#include <papilio/transport/tcp/endpoint.hpp>

#include <string>
#include <string_view>

namespace papilio::example {

/// Parses "host:port", "[v6]:port" or ":port" (any address). Throws a `problem` with an example.
tcp::endpoint parse_endpoint(std::string_view text);

/// The same, where the port may be left out, and is 0 then; but the host may not.
tcp::endpoint parse_reachable(std::string_view text);

/// Whether this host means all addresses of the machine.
bool listens_anywhere(const std::string& host);

}  // namespace papilio::example
