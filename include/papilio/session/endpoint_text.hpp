#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/tcp/endpoint.hpp>

#include <string>
#include <string_view>

namespace papilio::inline PAPILIO_MODE {

/// Parses "host:port", "[v6]:port" or ":port" (any address). Throws a `problem` with an example.
tcp::endpoint parse_endpoint(std::string_view text);

/// The same, where the port may be left out, and is 0 then; but the host may not.
tcp::endpoint parse_reachable(std::string_view text);

/// Whether this host means all addresses of the machine.
inline bool listens_anywhere(const std::string& host)
{
    return host == "0.0.0.0" || host == "::";
}

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/session/impl/endpoint_text.hpp>
#endif
