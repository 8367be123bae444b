#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// What a peer does in a call.
enum class role : std::uint8_t {
    full,    ///< contributes, and reduces a part
    client,  ///< contributes, and owns no part
    /// Contributes nothing, and reduces a part. It declines the other parts, unless the call has
    /// several stages or `call_options::auxiliaries_receive`.
    auxiliary,
    observer,  ///< receives the result, and has no say in it
};

constexpr bool contributes(role r) noexcept
{
    return r == role::full || r == role::client;
}
constexpr bool reduces(role r) noexcept
{
    return r == role::full || r == role::auxiliary;
}
constexpr bool votes(role r) noexcept
{
    return r != role::observer;
}

}  // namespace papilio
