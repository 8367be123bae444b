#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::wire {

/// The first bytes on a channel, from both sides, the one that dialled first: u32 magic, u16
/// version, u16 zero, little-endian. After it come frames with the tag 0, and
/// `content_check::crc32c` behind their content.
inline constexpr std::size_t channel_hello_size = 8;
inline constexpr std::uint32_t channel_magic = 0x43504150;  // "PAPC"
inline constexpr std::uint16_t channel_version = 2;

inline std::array<std::byte, channel_hello_size> channel_hello() noexcept
{
    std::array<std::byte, channel_hello_size> to;
    store(to.data(), channel_magic);
    store(to.data() + 4, channel_version);
    store(to.data() + 6, std::uint16_t{0});
    return to;
}

/// Whether the `channel_hello_size` bytes at `from` begin a channel, of whatever version.
inline bool is_channel_hello(const std::byte* from) noexcept
{
    return load<std::uint32_t>(from) == channel_magic && load<std::uint16_t>(from + 6) == 0;
}

/// Throws `errc::refused` unless the `channel_hello_size` bytes at `from` are what this version of
/// papilio says.
inline void check_channel_hello(const std::byte* from)
{
    const auto version = load<std::uint16_t>(from + 4);
    if (!is_channel_hello(from))
        throw std::system_error(errc::refused, "the other side does not speak papilio's protocol");
    if (version != channel_version)
        throw std::system_error(errc::refused, "the other side speaks version " +
                                                   std::to_string(version) +
                                                   " of channels, and this one version " +
                                                   std::to_string(channel_version));
}

}  // namespace papilio::wire
