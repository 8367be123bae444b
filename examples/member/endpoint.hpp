#pragma once

#include <papilio/transport/tcp/handshake.hpp>

#include <string>
#include <string_view>

namespace papilio::example {

/// Reads "host:port", "[v6]:port" or ":port" (any address). Throws a `problem` that shows how.
tcp::endpoint parse_endpoint(std::string_view text);

/// Whether this host stands for all addresses of the machine.
bool listens_anywhere(const std::string& host);

}  // namespace papilio::example
