#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

inline constexpr std::size_t max_abort_reason = 1000;
inline constexpr std::uint32_t abort_magic = 0x58504150;  // "PAPX"

/// "The calls of this group that are under way end, because of this": u32 magic, and the reason, of
/// which no more than `max_abort_reason` bytes are told.
inline std::vector<std::byte> encode_abort(std::string_view reason)
{
    const auto told = reason.substr(0, max_abort_reason);
    std::vector<std::byte> to(sizeof abort_magic + told.size());
    store(to.data(), abort_magic);
    if (!told.empty()) std::memcpy(to.data() + sizeof abort_magic, told.data(), told.size());
    return to;
}

/// The reason, which may be any bytes. Throws `errc::bad_message` for what is no such message.
inline std::string parse_abort(bytes from)
{
    if (from.size() < sizeof abort_magic || from.size() > sizeof abort_magic + max_abort_reason ||
        load<std::uint32_t>(from.data()) != abort_magic)
        throw std::system_error(errc::bad_message, "this is no message that aborts calls");
    const auto text = from.subspan(sizeof abort_magic);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace papilio::wire
