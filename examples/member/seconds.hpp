#pragma once

#include <papilio/async/loop.hpp>

#include <chrono>
#include <cstdint>

namespace papilio::example {

/// The value of an option in seconds, as a duration.
inline duration seconds_long(double s)
{
    return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1000));
}

}  // namespace papilio::example
