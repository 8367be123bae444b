#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/public_key.hpp>
#include <papilio/base/sha256.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

inline constexpr std::string_view key_prefix = "pap1";
inline constexpr std::string_view base32_digits = "abcdefghijklmnopqrstuvwxyz234567";
inline constexpr std::size_t key_digits = 56;  // of 5 bits each, for 32 and 3 bytes

using bytes_of_id = std::array<std::byte, 35>;

/// The key and the bytes by which it is checked.
inline bytes_of_id checked_bytes(const public_key& key) noexcept
{
    constexpr std::string_view use("papilio/id\0", 11);
    sha256 check;
    check.add(std::as_bytes(std::span(use)));
    check.add(key.bytes);
    const auto digest = check.digest();
    bytes_of_id id;
    std::ranges::copy(digest.begin(), digest.begin() + 3,
                      std::ranges::copy(key.bytes, id.begin()).out);
    return id;
}

/// A point's coordinates have 255 bits and the sign of x; this is y, without the sign.
inline std::array<std::byte, 32> without_sign(std::array<std::byte, 32> point) noexcept
{
    point[31] &= std::byte{0x7f};
    return point;
}

/// The number whose first and last bytes are these, and all others `middle`; little-endian, as all
/// of ed25519.
constexpr std::array<std::byte, 32> field_number(unsigned first, unsigned middle,
                                                 unsigned last) noexcept
{
    std::array<std::byte, 32> number;
    number.fill(static_cast<std::byte>(middle));
    number[0] = static_cast<std::byte>(first);
    number[31] = static_cast<std::byte>(last);
    return number;
}

/// The y of all points whose order divides 8: 0 (order 4), 1 (1), -1 (2), and two of order 8.
inline constexpr std::array<std::array<std::uint64_t, 4>, 2> small_order_8{
    {{0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1},
     {0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e}}};

inline bool is_small_order(const std::array<std::byte, 32>& y) noexcept
{
    if (y == field_number(0, 0, 0) || y == field_number(1, 0, 0) ||
        y == field_number(0xec, 0xff, 0x7f))
        return true;
    std::array<std::uint64_t, 4> words;
    for (std::size_t i = 0; i < 4; ++i) words[i] = load<std::uint64_t>(y.data() + 8 * i);
    return std::ranges::find(small_order_8, words) != small_order_8.end();
}

}  // namespace detail

PAPILIO_DECL bool proves_nothing(const public_key& key) noexcept
{
    const auto y = detail::without_sign(key.bytes);
    constexpr auto prime = detail::field_number(0xed, 0xff, 0x7f);  // 2^255 - 19
    const bool is_reduced =
        std::lexicographical_compare(y.rbegin(), y.rend(), prime.rbegin(), prime.rend());
    return !is_reduced || detail::is_small_order(y);
}

PAPILIO_DECL std::string to_text(const public_key& key)
{
    std::string text(detail::key_prefix);
    unsigned held = 0;  // bits that are no digit yet
    int count = 0;
    for (const auto b : detail::checked_bytes(key)) {
        held = held << 8 | static_cast<unsigned>(b);
        for (count += 8; count >= 5; count -= 5)
            text += detail::base32_digits[held >> (count - 5) & 31];
        held &= (1u << count) - 1;
    }
    return text;
}

PAPILIO_DECL std::string abbreviated(const public_key& key)
{
    return to_text(key).substr(detail::key_prefix.size(), 8);
}

PAPILIO_DECL public_key parse_public_key(std::string_view text)
{
    const auto refuse = [](const std::string& why) -> std::system_error {
        return {errc::bad_argument, "this is not the id of a peer: " + why};
    };
    if (!text.starts_with(detail::key_prefix)) throw refuse("it does not begin with pap1");
    text.remove_prefix(detail::key_prefix.size());
    if (text.size() != detail::key_digits)
        throw refuse("56 letters and digits follow pap1: here they are " +
                     std::to_string(text.size()));

    detail::bytes_of_id id;
    std::size_t done = 0;
    unsigned held = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = detail::base32_digits.find(c);
        if (digit == std::string_view::npos)
            throw refuse("it holds something else than small letters and the digits 2 to 7");
        held = held << 5 | static_cast<unsigned>(digit);
        count += 5;
        if (count < 8) continue;
        count -= 8;
        id[done++] = static_cast<std::byte>(held >> count);
        held &= (1u << count) - 1;
    }
    public_key key;
    std::ranges::copy(id.begin(), id.begin() + 32, key.bytes.begin());
    if (id != detail::checked_bytes(key)) throw refuse("one of its characters is wrong");
    if (proves_nothing(key)) throw refuse("signatures by this key would prove nothing");
    return key;
}

}  // namespace papilio
