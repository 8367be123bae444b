#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/wire/tag.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// The kinds of requests that peers make of each other outside of calls.
enum class control_service : std::uint8_t {
    echo = 1,   ///< send this back
    bandwidth,  ///< receive and send many bytes
    state,      ///< send the run's state
    updates,    ///< send what led from one state of the run to later ones
    abort,      ///< end the calls of this group that are under way
};

constexpr const char* name(control_service service) noexcept
{
    switch (service) {
    case control_service::echo: return "echo";
    case control_service::bandwidth: return "bandwidth";
    case control_service::state: return "state";
    case control_service::updates: return "updates";
    case control_service::abort: return "abort";
    }
    return "?";
}

namespace detail {

inline constexpr std::uint32_t control_index_bits = 20;
inline constexpr std::uint32_t max_control_index = (1u << control_index_bits) - 1;

/// The tag under which requests for a service arrive.
constexpr tag request_tag(control_service service) noexcept
{
    return make_tag(
        {.kind = message_kind::control,
         .index = std::uint32_t{static_cast<std::uint8_t>(service)} << control_index_bits});
}

/// The tag of a further message of the request with this number.
constexpr tag control_tag(control_service service, std::uint32_t request,
                          std::uint32_t index) noexcept
{
    return make_tag(
        {.call = request,
         .kind = message_kind::control,
         .index = (std::uint32_t{static_cast<std::uint8_t>(service)} << control_index_bits) |
                  (index & max_control_index)});
}

/// The number of a request that begins at `now_ns`; `which` tells requests apart that begin at the
/// same time. It is above the numbers of calls: a failed request discards the messages under its
/// number, and no call's.
constexpr std::uint32_t request_number(std::int64_t now_ns, int peer, control_service service,
                                       std::uint32_t which = 0) noexcept
{
    constexpr std::uint32_t first = max_call + 1, numbers = max_tag_call - max_call;
    const auto mixed = hash(static_cast<std::uint64_t>(now_ns), static_cast<std::uint64_t>(peer),
                            static_cast<std::uint64_t>(service), which);
    return first + static_cast<std::uint32_t>(mixed % numbers);
}

/// Whether a peer may choose `n` for its request.
constexpr bool is_request_number(std::uint32_t n) noexcept
{
    return n > max_call && n <= max_tag_call;
}

}  // namespace detail

}  // namespace papilio
