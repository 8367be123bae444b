#pragma once

#include <papilio/base/config.hpp>

#include <cstdint>
#include <mutex>
#include <random>

namespace papilio::inline PAPILIO_MODE::detail {

/// A number that nobody can guess, and never 0. It decides nothing but who is who, so that it need
/// not come from a loop. The source is made once: that asks what the processor is, which takes tens
/// of microseconds in a virtual machine.
inline std::uint64_t process_number()
{
    static std::mutex one_at_a_time;
    static std::random_device source;
    const std::lock_guard lock(one_at_a_time);
    const std::uint64_t number = std::uint64_t{source()} << 32 | source();
    return number != 0 ? number : 1;
}

}  // namespace papilio::detail
