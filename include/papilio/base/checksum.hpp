#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>

#include <array>
#include <bit>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// 64 bits that depend on every byte of `data` and on its length. Finds damage, and tells whoever
/// has the data from whoever has not; it does not withstand somebody who makes up data to fit. Four
/// lanes in the manner of xxHash (Y. Collet), so that long data goes by at the memory's speed.
inline std::uint64_t checksum(bytes data) noexcept
{
    constexpr std::uint64_t stir = 0xc2b2ae3d27d4eb4f;
    constexpr std::uint64_t spread = 0x9e3779b185ebca87;
    constexpr std::size_t stripe = 32;

    std::array<std::uint64_t, 4> lanes{spread, stir, spread ^ stir, ~spread};
    const auto add = [&](std::size_t lane, std::uint64_t word) {
        lanes[lane] = std::rotl(lanes[lane] + word * stir, 31) * spread;
    };
    std::size_t at = 0;
    for (; data.size() - at >= stripe; at += stripe)
        for (std::size_t lane = 0; lane < 4; ++lane)
            add(lane, load<std::uint64_t>(data.data() + at + 8 * lane));

    std::byte rest[stripe] = {};  // not a std::array, whose size nvcc 13.0 cannot spell here
    for (std::size_t i = 0; at + i < data.size(); ++i) rest[i] = data[at + i];
    for (std::size_t lane = 0; lane < 4; ++lane) add(lane, load<std::uint64_t>(rest + 8 * lane));
    return hash(lanes[0], lanes[1], lanes[2], lanes[3], data.size());
}

}  // namespace papilio
