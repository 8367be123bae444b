#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/fields.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

// How the peers of a fixed group meet: each tells the first one where it listens, and is told where
// all do.
namespace papilio::inline PAPILIO_MODE::wire {

/// Where a peer listens: for TCP, and for peers of its host, by name. An empty host is the one that
/// the message comes from.
struct meeting_place {
    std::string host;
    std::uint16_t port = 0;
    std::string local_host;
    std::string local_name;
    friend bool operator==(const meeting_place&, const meeting_place&) = default;
};

/// "Peer `rank` of `size` listens there": to the first peer.
struct arrival_told {
    std::uint32_t rank = 0;
    std::uint32_t size = 0;
    std::uint64_t group = 0;  ///< another group's peers are sent away
    meeting_place at;
    friend bool operator==(const arrival_told&, const arrival_told&) = default;
};

inline constexpr std::uint32_t max_meeting = 4096;          ///< peers
inline constexpr std::size_t max_arrival_bytes = 1024;      ///< of a message to the first peer
inline constexpr std::uint32_t arrival_magic = 0x4d504150;  // "PAPM"
inline constexpr std::uint32_t places_magic = 0x4e504150;   // "PAPN"

/// The longest list of places for a group of `size`.
constexpr std::size_t max_places_bytes(std::size_t size) noexcept
{
    return 8 + size * (3 * (1 + detail::max_text) + 2);
}

namespace detail {

inline void put(field_writer& to, const meeting_place& p)
{
    to.put(p.host);
    to.put(p.port);
    to.put(p.local_host);
    to.put(p.local_name);
}

inline meeting_place get_place(field_reader& from)
{
    meeting_place p;
    p.host = from.get_text();
    p.port = from.get<std::uint16_t>();
    p.local_host = from.get_text();
    p.local_name = from.get_text();
    return p;
}

inline void expect_magic(field_reader& from, std::uint32_t magic)
{
    if (from.get<std::uint32_t>() != magic)
        throw std::system_error(errc::bad_message, "this is no message of peers that meet");
}

inline void check_meeting_size(std::uint32_t size)
{
    if (size < 1 || size > max_meeting)
        throw papilio::detail::bad_value(errc::bad_message, "the size of a group that meets",
                                         "1 to 4,096", size);
}

}  // namespace detail

inline std::vector<std::byte> encode(const arrival_told& a)
{
    detail::field_writer to;
    to.put(arrival_magic);
    to.put(a.rank);
    to.put(a.size);
    to.put(a.group);
    detail::put(to, a.at);
    return to.take();
}

/// Throws `errc::bad_message` for bytes that no honest peer sends.
inline arrival_told parse_arrival(bytes message)
{
    detail::field_reader from(message);
    detail::expect_magic(from, arrival_magic);
    arrival_told a;
    a.rank = from.get<std::uint32_t>();
    a.size = from.get<std::uint32_t>();
    a.group = from.get<std::uint64_t>();
    a.at = detail::get_place(from);
    from.expect_end();
    detail::check_meeting_size(a.size);
    if (a.rank >= a.size)
        throw papilio::detail::bad_value(errc::bad_message, "the rank of a peer that arrives",
                                         "below the size of its group", a.rank);
    return a;
}

/// Where all peers listen, by rank: from the first peer.
inline std::vector<std::byte> encode(const std::vector<meeting_place>& places)
{
    detail::field_writer to;
    to.put(places_magic);
    to.put(static_cast<std::uint32_t>(places.size()));
    for (const auto& p : places) detail::put(to, p);
    return to.take();
}

/// Throws `errc::bad_message` unless it is a list of places.
inline std::vector<meeting_place> parse_places(bytes message)
{
    detail::field_reader from(message);
    detail::expect_magic(from, places_magic);
    const auto size = from.get<std::uint32_t>();
    detail::check_meeting_size(size);
    std::vector<meeting_place> places;
    for (std::uint32_t i = 0; i < size; ++i) places.push_back(detail::get_place(from));
    from.expect_end();
    return places;
}

}  // namespace papilio::wire
