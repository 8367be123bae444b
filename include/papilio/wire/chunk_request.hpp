#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/view_fields.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// The chunks of a result that an observer asks for, by number: that of the part times the columns,
/// plus that of the column. None: it has all.
using chunk_request = std::vector<std::uint32_t>;

/// No request asks for more.
inline constexpr std::size_t most_chunks_requested = 16;

/// Little-endian: u32 for each chunk.
inline std::vector<std::byte> encode(const chunk_request& wanted)
{
    detail::field_writer to;
    for (const auto chunk : wanted) to.put(chunk);
    return to.take();
}

/// Reads a whole message about a call; throws `errc::bad_message` if no honest peer wrote it.
inline chunk_request parse_chunk_request(bytes from, const call_extent& of)
{
    constexpr std::size_t each = sizeof(std::uint32_t);
    detail::require_size(from.size(), "a request for chunks", 0, most_chunks_requested * each);
    detail::field_reader reader(from);
    chunk_request wanted(from.size() / each);
    for (auto& chunk : wanted) {
        chunk = reader.get<std::uint32_t>();
        detail::require(chunk < of.parts * of.columns, "the number of a chunk",
                        "below the number of chunks", chunk);
    }
    reader.expect_end();
    return wanted;
}

}  // namespace papilio::wire
