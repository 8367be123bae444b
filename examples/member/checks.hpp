#pragma once

#include <papilio/wire/swarm_messages.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// Checks of options, with more readable messages than CLI11's own.
namespace papilio::example {

/// Numbers above 0, up to `max`.
CLI::Validator above_zero(double max = 1e9);

/// Numbers from `min` to `max`.
CLI::Validator between(double min, double max);
inline CLI::Validator zero_or_more()
{
    return between(0, 1e9);
}

/// Whole numbers from `min` to `max`, in digits.
CLI::Validator whole(std::uint64_t min = 0,
                     std::uint64_t max = std::numeric_limits<std::uint64_t>::max());

/// Rounds of a run, of which there are at most 10^9.
inline CLI::Validator rounds()
{
    return between(0, wire::max_rounds);
}

/// host:port, where port 0 means any free one; or "none", if that is allowed.
CLI::Validator listen_address(bool or_none = false);

/// host:port, both of which must be given.
CLI::Validator remote_address();

/// One of these names, which becomes its number; for an option that is an enumeration.
CLI::Validator one_of(std::vector<std::string> names);

/// host or host:port.
CLI::Validator reachable_address();

/// A host without a port; for an option that is the host's name.
CLI::Validator reachable_host();

/// At most 60 bytes of UTF-8 without control characters.
CLI::Validator readable_text();

}  // namespace papilio::example
