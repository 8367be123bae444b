#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <cstddef>

namespace papilio::inline PAPILIO_MODE {

/// Parts are cut into chunks, the same number for every part however large it is: chunk c of all
/// parts is a *column*, and columns move through a collective independently of each other, so that
/// all parts are done at the same time. Chunks begin at multiples of the codec's `granule` from the
/// part's begin, so that no codec block straddles two of them and their number changes no bit; a
/// part of fewer granules than there are columns has empty chunks.
constexpr part chunk_of(part whole, std::size_t granule, std::size_t columns, std::size_t c)
{
    PAPILIO_CHECK(granule > 0 && c < columns, "there is no chunk of that index");
    const auto granules = whole.size / granule + (whole.size % granule != 0 ? 1 : 0);
    // floor(granules * i / columns), without overflow
    const auto cut = [&](std::size_t i) {
        const auto at = granules / columns * i + granules % columns * i / columns;
        return at < granules ? at * granule : whole.size;
    };
    return {whole.begin + cut(c), cut(c + 1) - cut(c)};
}

/// The most elements that any chunk of a part of `size` has.
constexpr std::size_t largest_chunk(std::size_t size, std::size_t granule, std::size_t columns)
{
    PAPILIO_CHECK(granule > 0 && columns > 0, "a part is cut at granules into columns");
    const auto granules = size / granule + (size % granule != 0 ? 1 : 0);
    const auto most = granules / columns + (granules % columns != 0 ? 1 : 0);
    return most > size / granule ? size : most * granule;
}

/// How many columns to cut where the largest part has `size` elements, so that its chunks have
/// about `wanted`, and one granule at least.
constexpr std::size_t columns_for(std::size_t size, std::size_t granule, std::size_t wanted)
{
    PAPILIO_CHECK(granule > 0, "a granule has at least one element");
    const auto chunk = std::max(wanted / granule, std::size_t{1}) * granule;
    return std::max<std::size_t>(size / chunk + (size % chunk != 0 ? 1 : 0), 1);
}

/// What contributions that wait for their chunk's last one may take of a peer's memory.
constexpr std::size_t max_waiting(std::size_t total)
{
    return std::max<std::size_t>(total / 5, std::size_t{12} << 20);
}

/// Chunks are few, for every message costs something, but two or more to a part of 64 KiB, so that
/// one can travel while another is prepared; those that are encoded or reduced stay in a core's
/// cache; and two of each partner may wait.
constexpr std::size_t default_chunk_bytes(std::size_t total, std::size_t partners)
{
    const std::size_t cached = partners > 2 ? 128 << 10 : 512 << 10;
    const auto each = std::min(total, max_waiting(total)) / (2 * partners);
    return std::clamp<std::size_t>(each, 32 << 10, cached);
}

/// The same among many peers of one host, each of whom has others to deal with while a chunk of one
/// is prepared: one chunk to a part is enough.
constexpr std::size_t host_chunk_bytes(std::size_t total, std::size_t partners)
{
    const auto each = std::min(total, max_waiting(total)) / partners;
    return std::clamp<std::size_t>(each, 32 << 10, 128 << 10);
}

/// The most that one call has on the way to a peer: what arrives before it is asked for is kept,
/// and transports keep 64 MiB of each peer.
inline constexpr std::size_t largest_window = std::size_t{24} << 20;

constexpr std::size_t max_slots(std::size_t chunk_bytes)
{
    return std::max<std::size_t>(largest_window / std::max<std::size_t>(chunk_bytes, 1), 1);
}

/// Whether everybody sends everybody everything rather than a part to each: where a latency costs
/// more than the bytes. `total` is the size of the data, in bytes.
constexpr bool is_small(std::size_t total, std::size_t peers)
{
    constexpr std::size_t most = 16 << 10;  // sent by a peer: a fraction of a millisecond
    return peers > 1 && total > 0 && total <= most / (peers - 1);
}

/// One on the way, and one that is being reduced.
inline constexpr std::size_t default_slots_low_latency = 2;

/// Enough to fill a long link, within what may wait.
constexpr std::size_t default_slots(std::size_t total, std::size_t partners,
                                    std::size_t chunk_bytes)
{
    const auto window = std::min<std::size_t>(max_waiting(total) / partners, std::size_t{4} << 20);
    return std::clamp<std::size_t>(window / chunk_bytes, 2, 256);
}

}  // namespace papilio
