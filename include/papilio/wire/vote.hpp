#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/descriptor.hpp>

#include <array>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::wire {

/// How a call ended for one peer, told to all others.
struct vote {
    bool yes = false;        ///< the sender holds the complete result
    std::uint64_t call = 0;  ///< the digest of the call's descriptor; 0: see `refusal`
    std::uint64_t weights =
        0;              ///< a hash of the weights by which the sender reduced its part; 0: none
    double weight = 1;  ///< the sender's own
    std::int32_t culprit = -1;  ///< of a no: the rank at fault, or -1
    errc why{};                 ///< of a no
    std::uint64_t result = 0;   ///< a digest of the result of a yes; 0: none is told

    static constexpr std::size_t encoded_size = 48;
    friend constexpr bool operator==(const vote&, const vote&) = default;
};

/// A no of peer `rank` about a call that it cannot describe, because its own arguments are refused:
/// it names no call, and is about the one whose tag it bears.
inline vote refusal(int rank, errc why) noexcept
{
    return {.culprit = rank, .why = why};
}

inline constexpr std::uint32_t vote_magic = 0x56504150;  // "PAPV"

/// Whether a message is a vote that says no.
inline bool says_no(bytes message) noexcept
{
    return message.size() == vote::encoded_size &&
           load<std::uint32_t>(message.data()) == vote_magic &&
           load<std::uint8_t>(message.data() + 4) == 0;
}

/// A code as a vote tells it: those that are not papilio's say nothing to other hosts.
inline errc reason_of(std::error_code why) noexcept
{
    const bool ours = why.category() == category() && known(static_cast<errc>(why.value()));
    return ours ? static_cast<errc>(why.value()) : errc::peer_failed;
}

/// Little-endian: u32 magic, u8 yes, u8 why, u16 zero, u64 call, u64 weights, f64 weight, i32
/// culprit, u32 zero, u64 result.
inline std::array<std::byte, vote::encoded_size> encode(const vote& v) noexcept
{
    std::array<std::byte, vote::encoded_size> to;
    store(to.data(), vote_magic);
    store(to.data() + 4, static_cast<std::uint8_t>(v.yes));
    store(to.data() + 5, static_cast<std::uint8_t>(v.why));
    store(to.data() + 6, std::uint16_t{0});
    store(to.data() + 8, v.call);
    store(to.data() + 16, v.weights);
    store(to.data() + 24, v.weight);
    store(to.data() + 32, v.culprit);
    store(to.data() + 36, std::uint32_t{0});
    store(to.data() + 40, v.result);
    return to;
}

/// Reads a whole message; throws `errc::bad_message` if it is no vote.
inline vote parse_vote(bytes from)
{
    if (from.size() != vote::encoded_size || load<std::uint32_t>(from.data()) != vote_magic ||
        load<std::uint8_t>(from.data() + 4) > 1 || load<std::uint16_t>(from.data() + 6) != 0 ||
        load<std::uint32_t>(from.data() + 36) != 0)
        throw std::system_error(errc::bad_message, "not a vote");
    vote v;
    v.yes = load<std::uint8_t>(from.data() + 4) == 1;
    const auto why = load<std::uint8_t>(from.data() + 5);
    v.why = errc{why};
    v.call = load<std::uint64_t>(from.data() + 8);
    v.weights = load<std::uint64_t>(from.data() + 16);
    v.weight = load<double>(from.data() + 24);
    v.culprit = load<std::int32_t>(from.data() + 32);
    v.result = load<std::uint64_t>(from.data() + 40);
    const bool reasoned = v.yes ? why == 0 : known(v.why);
    if (!reasoned)
        throw papilio::detail::bad_value(errc::bad_message,
                                         v.yes ? "the reason of a yes" : "the reason of a no",
                                         v.yes ? "0" : "a code of papilio::errc", why);
    if (!valid_weight(v.weight))
        throw papilio::detail::bad_value(errc::bad_message, "the weight in a vote",
                                         "at least 0 and below 2^53", v.weight);
    return v;
}

}  // namespace papilio::wire
