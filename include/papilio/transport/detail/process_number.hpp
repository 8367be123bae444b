#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>
#include <random>

namespace papilio::inline PAPILIO_MODE::detail {

/// A number that nobody can guess, and never 0. It decides nothing but who is who, so that it need
/// not come from a loop.
inline std::uint64_t process_number()
{
    std::random_device source;
    const std::uint64_t number = std::uint64_t{source()} << 32 | source();
    return number != 0 ? number : 1;
}

}  // namespace papilio::detail
