#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/view_fields.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::wire {

/// That its sender holds what a later view than 0 has settled on. There is no vote against it.
struct view_vote {
    std::uint8_t view = 1;
    std::uint64_t call = 0;        ///< the digest of the call's descriptor
    std::uint64_t settlement = 0;  ///< the digest of what is settled
    std::uint64_t result = 0;      ///< that of the result that it holds; 0: none was made

    static constexpr std::size_t encoded_size = 32;
    friend constexpr bool operator==(const view_vote&, const view_vote&) = default;
};

inline constexpr std::uint32_t view_vote_magic = 0x57504150;  // "PAPW"

/// Little-endian: u32 magic, u8 view, three bytes of zero, u64 call, u64 settlement, u64
/// result.
inline std::array<std::byte, view_vote::encoded_size> encode(const view_vote& v) noexcept
{
    std::array<std::byte, view_vote::encoded_size> to{};
    store(to.data(), view_vote_magic);
    store(to.data() + 4, v.view);
    store(to.data() + 8, v.call);
    store(to.data() + 16, v.settlement);
    store(to.data() + 24, v.result);
    return to;
}

/// Reads a whole message; throws `errc::bad_message` if no honest peer wrote it.
inline view_vote parse_view_vote(bytes from)
{
    detail::require_size(from.size(), "a vote of a later view", view_vote::encoded_size,
                         view_vote::encoded_size);
    detail::field_reader reader(from);
    const auto magic = reader.get<std::uint32_t>();
    detail::require(magic == view_vote_magic, "the first field of a vote of a later view",
                    "\"PAPW\"", magic);
    view_vote v;
    v.view = detail::get_between(reader, "the view of a vote of a later view", std::uint8_t{1},
                                 max_view);
    detail::get_zeros(reader, 3);
    v.call = reader.get<std::uint64_t>();
    v.settlement = reader.get<std::uint64_t>();
    v.result = reader.get<std::uint64_t>();
    return v;
}

}  // namespace papilio::wire
