#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/wire/tag.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// What one peer may ask of another outside of calls.
enum class control_service : std::uint8_t {
    echo = 1,   ///< send this back
    bandwidth,  ///< take, or send, many bytes
    state,      ///< send the run's state
};

constexpr const char* name(control_service service) noexcept
{
    switch (service) {
    case control_service::echo: return "echo";
    case control_service::bandwidth: return "bandwidth";
    case control_service::state: return "state";
    }
    return "?";
}

namespace detail {

inline constexpr std::uint32_t control_index_bits = 20;
inline constexpr std::uint32_t max_control_index = (1u << control_index_bits) - 1;

/// Where requests for a service arrive.
constexpr tag control_door(control_service service) noexcept
{
    return make_tag(
        {.kind = message_kind::control,
         .index = std::uint32_t{static_cast<std::uint8_t>(service)} << control_index_bits});
}

/// The messages of one request, apart from those of all others between the same two peers.
constexpr tag control_tag(control_service service, std::uint32_t request,
                          std::uint32_t index) noexcept
{
    return make_tag(
        {.call = request,
         .kind = message_kind::control,
         .index = (std::uint32_t{static_cast<std::uint8_t>(service)} << control_index_bits) |
                  (index & max_control_index)});
}

/// The number of a request that begins at `now_ns`; `which` tells those apart that one call makes
/// of a service. It is above those of the calls of any run that lasts, so that what is retired
/// with a failed request is no call's.
constexpr std::uint32_t request_number(std::int64_t now_ns, int peer, control_service service,
                                       std::uint32_t which = 0) noexcept
{
    constexpr std::uint32_t first = max_call + 1, numbers = max_tag_call - max_call;
    const auto mixed = hash(static_cast<std::uint64_t>(now_ns), static_cast<std::uint64_t>(peer),
                            static_cast<std::uint64_t>(service), which);
    return first + static_cast<std::uint32_t>(mixed % numbers);
}

}  // namespace detail

}  // namespace papilio
