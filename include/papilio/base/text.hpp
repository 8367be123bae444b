#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Texts that come from others and are shown to people: a name, a reason.
namespace papilio::inline PAPILIO_MODE {

/// Whether all of `text` are characters in UTF-8 that stand where they are written: none steers a
/// terminal, or turns the direction of the text around it.
constexpr bool readable(std::string_view text) noexcept;

/// `text` as it may be shown: what is not readable becomes a question mark, and what goes beyond
/// `most` columns is cut off.
std::string printable(std::string_view text, std::size_t most = std::string::npos);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The character that `text` begins with: its code point, and how many bytes it takes. No bytes:
/// `text` does not begin with a character in UTF-8.
struct character {
    char32_t code = 0;
    std::size_t size = 0;
};

constexpr character first_character(std::string_view text) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    if (text.empty()) return {};
    if (byte(0) < 0x80) return {byte(0), 1};
    const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
    if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return {};
    char32_t code = byte(0) & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3fu);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < least[size] || code > 0x10ffff || surrogate) return {};
    return {code, size};
}

/// Characters that steer a terminal or turn the direction of what is written around them.
constexpr bool steers(char32_t c) noexcept
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c < 0x2010) ||
           (c >= 0x2028 && c < 0x2030) || (c >= 0x2060 && c < 0x2070) || c == 0xfeff;
}

/// Columns that it takes on a terminal, at most.
constexpr std::size_t display_width(char32_t c) noexcept
{
    return c < 0x1100 ? 1 : 2;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

constexpr bool readable(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto c = detail::first_character(text);
        if (c.size == 0 || detail::steers(c.code)) return false;
        text.remove_prefix(c.size);
    }
    return true;
}

inline std::string printable(std::string_view text, std::size_t most)
{
    std::string shown;
    for (std::size_t columns = 0; !text.empty();) {
        const auto c = detail::first_character(text);
        const bool good = c.size > 0 && !detail::steers(c.code);
        columns += good ? detail::display_width(c.code) : 1;
        if (columns > most) break;
        const std::size_t size = c.size > 0 ? c.size : 1;
        shown += good ? text.substr(0, size) : "?";
        text.remove_prefix(size);
    }
    return shown;
}

}  // namespace papilio
