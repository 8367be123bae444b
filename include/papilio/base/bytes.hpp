#pragma once

#include <papilio/base/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

/// Bytes on their way out, and memory for bytes on their way in. Neither owns anything.
using bytes = std::span<const std::byte>;
using mutable_bytes = std::span<std::byte>;

// Elements travel as they lie in memory, and every wire format says little-endian.
static_assert(std::endian::native == std::endian::little,
              "papilio sends elements as they lie in memory: only little-endian hosts can talk");

/// Writes `value` at `at`, which need not be aligned, in little-endian order.
template <class T>
void store(std::byte* at, const T& value) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(at, &value, sizeof value);
}

/// Reads a `T` from `at`, which need not be aligned, in little-endian order.
template <class T>
T load(const std::byte* at) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace papilio
