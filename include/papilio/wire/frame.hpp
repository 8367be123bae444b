#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/tag.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::wire {

/// Precedes every message on a byte stream: u64 tag, u32 size, u32 check, little-endian. The check
/// is a hash of the rest, so that a stream that has lost its place is noticed at once and not taken
/// for a size. Behind the content follows what `content_check` says.
struct frame {
    tag what{};
    std::uint32_t size = 0;

    static constexpr std::size_t encoded_size = 16;
    friend constexpr bool operator==(const frame&, const frame&) = default;
};

/// What follows the content of each frame that has some.
enum class content_check : std::uint8_t {
    none,    ///< nothing: the stream itself sees to it that bytes arrive as they were sent
    crc32c,  ///< the CRC-32C of the content, a u32: what the sums of TCP and of Ethernet let
             ///< through
};

/// The bytes that `check` adds to a frame whose content has `size`.
constexpr std::size_t check_size(content_check check, std::size_t size) noexcept
{
    return check == content_check::none || size == 0 ? 0 : 4;
}

/// The tag of a frame that carries nothing but a sign of life.
inline constexpr tag heartbeat = tag{~std::uint64_t{0}};

/// The tag of a frame that says that nothing more will come.
inline constexpr tag shutdown = tag{~std::uint64_t{1}};

/// The tag of frames that say what may be sent, see `flow`.
inline constexpr tag flow_tag = tag{~std::uint64_t{2}};

/// The tag of frames that say where a message lies which is not sent, see `loan`.
inline constexpr tag loan_tag = tag{~std::uint64_t{3}};

/// This tag and those above are the link's own.
inline constexpr tag first_reserved_tag = loan_tag;

namespace detail {

constexpr std::uint32_t frame_check(std::uint64_t what, std::uint32_t size) noexcept
{
    std::uint64_t x = what ^ (std::uint64_t{size} << 32 | 0x70617069u);
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return static_cast<std::uint32_t>(x >> 32);
}

}  // namespace detail

inline std::array<std::byte, frame::encoded_size> encode(const frame& f) noexcept
{
    std::array<std::byte, frame::encoded_size> to;
    const auto what = static_cast<std::uint64_t>(f.what);
    store(to.data(), what);
    store(to.data() + 8, f.size);
    store(to.data() + 12, detail::frame_check(what, f.size));
    return to;
}

/// Reads the `frame::encoded_size` bytes at `from`; throws `errc::bad_message` if they are no
/// frame.
inline frame parse_frame(const std::byte* from)
{
    const auto what = load<std::uint64_t>(from);
    const auto size = load<std::uint32_t>(from + 8);
    if (load<std::uint32_t>(from + 12) != detail::frame_check(what, size))
        throw std::system_error(errc::bad_message, "the stream holds no frame here");
    return {tag{what}, size};
}

}  // namespace papilio::wire
