#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::wire {

/// The first bytes on a connection, from the side that dialled: who it is, whom it wants, and in
/// which group. The other side closes, or answers with a `welcome`, which the first side repeats.
struct hello {
    std::uint64_t group = 0;  ///< a number that all peers of a group share
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t connection = 0;  ///< which of the pair's connections this is
    std::uint32_t connections = 1;
    bool crc = false;              ///< offers frames with a CRC-32C of their content
    std::uint32_t generation = 0;  ///< which link between the two this is, counted by the dialler
    std::uint64_t process = 0;     ///< the dialling process, by a number that only `to` is told
    std::uint64_t to_process = 0;  ///< the one with which it had a link before, by its number; or 0
    std::uint64_t host = 0;        ///< the dialler's host, by a number of the group's; 0: unknown

    static constexpr std::size_t encoded_size = 64;
    static constexpr std::size_t head_size = 8;  ///< as far as the version, whichever it is
    friend constexpr bool operator==(const hello&, const hello&) = default;
};

inline constexpr std::uint32_t hello_magic = 0x4c504150;  // "PAPL"
inline constexpr std::uint16_t wire_version = 2;

/// Little-endian: u32 magic, u16 version, u16 flags (1: `crc`; no others), u64 group, u32 from, to,
/// connection, connections, generation, length of the credentials that follow (0), u64 process, u64
/// to_process, u64 host.
inline std::array<std::byte, hello::encoded_size> encode(const hello& h) noexcept
{
    std::array<std::byte, hello::encoded_size> to;
    store(to.data(), hello_magic);
    store(to.data() + 4, wire_version);
    store(to.data() + 6, std::uint16_t{h.crc});
    store(to.data() + 8, h.group);
    store(to.data() + 16, h.from);
    store(to.data() + 20, h.to);
    store(to.data() + 24, h.connection);
    store(to.data() + 28, h.connections);
    store(to.data() + 32, h.generation);
    store(to.data() + 36, std::uint32_t{0});
    store(to.data() + 40, h.process);
    store(to.data() + 48, h.to_process);
    store(to.data() + 56, h.host);
    return to;
}

/// What is said to people when versions differ.
inline std::system_error other_version(const std::string& who, std::uint32_t theirs)
{
    return {make_error_code(errc::refused), who + " speaks version " + std::to_string(theirs) +
                                                " of the wire, and this peer version " +
                                                std::to_string(wire_version)};
}

/// The version of a hello, of any version; nothing if it is none.
inline std::optional<std::uint16_t> hello_version(const std::byte* from) noexcept
{
    if (load<std::uint32_t>(from) != hello_magic) return std::nullopt;
    return load<std::uint16_t>(from + 4);
}

/// Reads the `hello::encoded_size` bytes at `from`; throws `errc::refused` if a stranger sent them,
/// or a peer of another version.
inline hello parse_hello(const std::byte* from)
{
    const auto version = hello_version(from);
    if (!version) throw std::system_error(errc::refused, "the connection began with no hello");
    if (*version != wire_version) throw other_version("the other side", *version);
    const auto flags = load<std::uint16_t>(from + 6);
    if (flags > 1)
        throw papilio::detail::bad_value(errc::refused, "the flags of a hello", "0 or 1", flags);
    if (const auto size = load<std::uint32_t>(from + 36); size != 0)
        throw papilio::detail::bad_value(errc::refused, "the length of a hello's credentials", "0",
                                         size);
    if (load<std::uint64_t>(from + 40) == 0)
        throw std::system_error(errc::refused, "the hello does not say which process it is from");
    return {load<std::uint64_t>(from + 8),  load<std::uint32_t>(from + 16),
            load<std::uint32_t>(from + 20), load<std::uint32_t>(from + 24),
            load<std::uint32_t>(from + 28), flags == 1,
            load<std::uint32_t>(from + 32), load<std::uint64_t>(from + 40),
            load<std::uint64_t>(from + 48), load<std::uint64_t>(from + 56)};
}

/// The answer to an accepted `hello`, and the answer to that. The second one accepts the offer of a
/// CRC as well; both sides then send it with every frame.
inline constexpr std::uint32_t welcome_plain = 0x4b4f5050;  // "PPOK"
inline constexpr std::uint32_t welcome_crc = 0x434f5050;    // "PPOC"

/// Little-endian: u32 `welcome_plain` or `welcome_crc`, u64 the number of the process that accepts,
/// u64 that of its host.
struct welcome {
    bool crc = false;
    std::uint64_t process = 0;
    std::uint64_t host = 0;

    static constexpr std::size_t encoded_size = 20;
    friend constexpr bool operator==(const welcome&, const welcome&) = default;
};

inline std::array<std::byte, welcome::encoded_size> encode(const welcome& w) noexcept
{
    std::array<std::byte, welcome::encoded_size> to;
    store(to.data(), w.crc ? welcome_crc : welcome_plain);
    store(to.data() + 4, w.process);
    store(to.data() + 12, w.host);
    return to;
}

/// The answer to a hello of another version, before the connection is closed: "PPV" and this
/// version.
static_assert(wire_version < 256);
inline constexpr std::uint32_t wrong_version = 0x00565050u | std::uint32_t{wire_version} << 24;

/// Reads the `welcome::encoded_size` bytes at `from`, of which the last are zeros where the other
/// side has said less. Throws `errc::refused` unless it accepts, and says so if that is for the
/// version; also if it accepts a CRC that was not offered.
inline welcome parse_welcome(const std::byte* from, bool crc_offered)
{
    const auto answer = load<std::uint32_t>(from);
    if ((answer & 0xffffffu) == (wrong_version & 0xffffffu))
        throw other_version("the other side", answer >> 24);
    const bool crc = answer == welcome_crc;
    const auto process = load<std::uint64_t>(from + 4);
    if (process == 0 || (crc ? !crc_offered : answer != welcome_plain))
        throw std::system_error(errc::refused);
    return {crc, process, load<std::uint64_t>(from + 12)};
}

}  // namespace papilio::wire
