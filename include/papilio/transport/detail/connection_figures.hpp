#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/detail/connection.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The connections of a link; null where one is still to come.
using connections = std::vector<std::unique_ptr<connection>>;

/// Whether data of one has been waiting for an acknowledgement for longer than `limit`.
inline bool unacknowledged_beyond(const connections& of, duration limit)
{
    return std::ranges::any_of(of, [&](auto& c) { return c && c->unacknowledged() > limit; });
}

/// Bytes that the other host has acknowledged, frames included.
inline std::uint64_t arrived(const connections& of)
{
    std::uint64_t sum = 0;
    for (const auto& c : of)
        if (c) sum += c->arrived();
    return sum;
}

/// The shortest round trip, if one has been measured.
inline std::optional<duration> round_trip(const connections& of)
{
    std::optional<duration> shortest;
    for (const auto& c : of) {
        const auto measured = c ? c->round_trip() : std::nullopt;
        if (measured && (!shortest || *measured < *shortest)) shortest = measured;
    }
    return shortest;
}

}  // namespace papilio::detail
