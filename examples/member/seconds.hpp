#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/saturate.hpp>

#include <chrono>

namespace papilio::example {

/// The value of an option in seconds, as a duration.
inline duration seconds_long(double s)
{
    return std::chrono::floor<std::chrono::milliseconds>(saturated_seconds(s));
}

}  // namespace papilio::example
