#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// A call of a group: its number, and how often the number was begun before, modulo 2^15.
struct aborted_call {
    std::uint32_t number = 0;
    std::uint32_t attempt = 0;
    friend auto operator<=>(const aborted_call&, const aborted_call&) = default;
};

/// "These calls of the group end everywhere, because of this." Peers pass it on.
struct abort_told {
    std::uint32_t aborter = 0;        ///< who has aborted, by rank
    std::vector<aborted_call> calls;  ///< up to `max_aborted_calls`
    std::string reason;               ///< of which `max_abort_reason` bytes are told
};

inline constexpr std::size_t max_aborted_calls = 128;
inline constexpr std::size_t max_abort_reason = 1000;
inline constexpr std::size_t abort_head_bytes = 12, aborted_call_bytes = 8;
inline constexpr std::size_t max_abort_bytes =
    abort_head_bytes + max_aborted_calls * aborted_call_bytes + max_abort_reason;
inline constexpr std::uint32_t abort_magic = 0x58504150;  // "PAPX"
inline constexpr std::uint32_t max_aborted_attempt = (1u << 15) - 1;

/// u32 magic, u32 aborter, u32 count, a u32 number and a u32 attempt for each call, and the reason.
inline std::vector<std::byte> encode_abort(const abort_told& a)
{
    const auto told = std::string_view(a.reason).substr(0, max_abort_reason);
    std::vector<std::byte> to(abort_head_bytes + a.calls.size() * aborted_call_bytes + told.size());
    std::byte* at = to.data();
    const auto put = [&](std::uint32_t field) {
        store(at, field);
        at += sizeof field;
    };
    put(abort_magic);
    put(a.aborter);
    put(static_cast<std::uint32_t>(a.calls.size()));
    for (const auto& call : a.calls) {
        put(call.number);
        put(call.attempt);
    }
    if (!told.empty()) std::memcpy(at, told.data(), told.size());
    return to;
}

/// Of a group of `peers`. The reason may be any bytes. Throws `errc::bad_message` for what no
/// honest peer sends.
inline abort_told parse_abort(bytes from, std::uint32_t peers)
{
    const auto refuse = [] {
        throw std::system_error(errc::bad_message, "this is no message that aborts calls");
    };
    const auto field = [&](std::size_t at) { return load<std::uint32_t>(from.data() + at); };
    if (from.size() < abort_head_bytes || field(0) != abort_magic || field(4) >= peers) refuse();
    const std::size_t count = field(8);
    if (count > max_aborted_calls || from.size() < abort_head_bytes + count * aborted_call_bytes)
        refuse();
    abort_told a{field(4), {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = abort_head_bytes + i * aborted_call_bytes;
        const aborted_call call{field(at), field(at + 4)};
        if (call.number < 1 || call.number > max_call || call.attempt > max_aborted_attempt)
            refuse();
        a.calls.push_back(call);
    }
    const auto text = from.subspan(abort_head_bytes + count * aborted_call_bytes);
    if (text.size() > max_abort_reason) refuse();
    a.reason.assign(reinterpret_cast<const char*>(text.data()), text.size());
    return a;
}

}  // namespace papilio::wire
