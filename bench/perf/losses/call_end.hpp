#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

namespace papilio::perf {

inline constexpr int most_peers_to_lose_from = 64;

/// How a call ended for one peer. Times are nanoseconds of the steady clock, which is the same for
/// all processes of a machine.
struct call_end {
    bool good = false;  ///< in success; else `why` says why
    std::int32_t view = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::uint64_t wrong = 0;  ///< elements that are not the sum of what their contributors gave
    std::uint64_t made_again = 0;  ///< elements
    std::uint64_t bits = 0;        ///< a hash of the result, and of what the report says of it

    /// By number of contributors: elements.
    std::array<std::uint64_t, most_peers_to_lose_from + 1> made_of{};

    /// By rank: when this peer first missed that one. 0: never.
    std::array<std::int64_t, most_peers_to_lose_from> missed{};

    std::array<char, 200> why{};
};
static_assert(std::is_trivially_copyable_v<call_end>);

}  // namespace papilio::perf
