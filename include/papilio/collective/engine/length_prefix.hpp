#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <vector>

// Encoded elements of several parts in one message: each entry stands behind its length, 64 bits
// little-endian, and is padded with zeros to a multiple of 8 bytes, so that elements that travel as
// they are lie where they may be read.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t length_size = sizeof(std::uint64_t);

/// The bytes that an entry of `size` takes in the message.
constexpr std::size_t prefixed_size(std::size_t size)
{
    return length_size + (size + 7) / 8 * 8;
}

/// Writes length and padding around the `size` bytes that lie in `to` from `length_size` on;
/// returns the size of the whole entry.
inline std::size_t finish_entry(mutable_bytes to, std::size_t size)
{
    store(to.data(), std::uint64_t{size});
    const auto all = prefixed_size(size);
    std::ranges::fill(to.subspan(length_size + size, all - length_size - size), std::byte{});
    return all;
}

/// A message about a single part, as an entry in one about several.
inline std::vector<std::byte> length_prefixed(bytes message)
{
    std::vector<std::byte> entry(prefixed_size(message.size()));
    std::ranges::copy(message, entry.begin() + length_size);
    finish_entry(entry, message.size());
    return entry;
}

/// Takes the next entry off the front of `message`. Throws `errc::bad_message` if it is cut short,
/// or padded with anything but zeros.
inline bytes next_entry(bytes& message)
{
    const bool there = message.size() >= length_size;
    const auto size = there ? load<std::uint64_t>(message.data()) : 0;
    if (!there || size > message.size() - length_size || prefixed_size(size) > message.size())
        throw std::system_error(errc::bad_message, "a message ends before its last part");
    const auto entry = message.first(prefixed_size(size)).subspan(length_size);
    const auto is_zero = [](std::byte b) { return b == std::byte{}; };
    if (!std::ranges::all_of(entry.subspan(size), is_zero))
        throw std::system_error(errc::bad_message, "a message is not padded with zeros");
    message = message.subspan(prefixed_size(size));
    return entry.first(size);
}

/// Takes the entries of a message about as many parts as `to` has places.
inline void take_entries(bytes message, std::span<bytes> to)
{
    for (auto& entry : to) entry = next_entry(message);
    if (!message.empty())
        throw std::system_error(errc::bad_message, std::to_string(message.size()) +
                                                       " bytes follow the last part of a message");
}

/// The entries of a message about `count` parts.
inline std::vector<bytes> entries_of(bytes message, std::size_t count)
{
    std::vector<bytes> entries(count);
    take_entries(message, entries);
    return entries;
}

}  // namespace papilio::detail
