#pragma once

#include <papilio/base/index.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <string>

// What is explored: how many peers, chunks and views, and which mistake is made on purpose.
namespace papilio::model {

using papilio::detail::index;

inline constexpr int max_peers = 5;
inline constexpr int max_chunks = 8;
inline constexpr int max_views = 8;

/// A mistake in the protocol, which the invariants are to notice.
enum class bug : std::uint8_t {
    none,
    no_adoption,       ///< a coordinator proposes what it likes, whoever has voted
    half_quorum,       ///< half of the group is enough for a view
    majority_success,  ///< a peer succeeds by the votes of a majority, without those of all members
    late_vote,         ///< a peer votes in a view though it has promised a later one
    no_voiding,        ///< a peer goes on to report a vote whose chunks it overwrites
};

inline constexpr std::array bug_names{"none",      "no-adoption", "half-quorum", "majority-success",
                                      "late-vote", "no-voiding"};

/// Which version of a chunk a coordinator proposes, of those that members hold; while none has
/// voted.
enum class keeping : std::uint8_t {
    any,             ///< or none, and the chunk is reduced anew
    latest_or_none,  ///< it does not know the weights of all who contributed, for instance
    latest,
};

struct settings {
    int peers = 3;
    int chunks = 1;
    int last_view = 1;
    bug planted = bug::none;

    /// A chunk is overwritten in one step. Otherwise it is gone for a while before the other
    /// version is there, and its peer may leave the view meanwhile.
    bool whole_writes = false;

    keeping keeps = keeping::any;
};

/// Bit p is set if peer p is in the set; the same of chunks and of views.
using bits = std::uint8_t;
static_assert(max_peers <= 8 && max_chunks <= 8 && max_views <= 8, "a set has eight bits");

constexpr bits bit(int i) noexcept
{
    return static_cast<bits>(1u << static_cast<unsigned>(i));
}

constexpr bool has(bits set, int i) noexcept
{
    return (set >> i & 1) != 0;
}

constexpr bool includes(bits set, bits other) noexcept
{
    return (other & ~set) == 0;
}

constexpr bits all_of(const settings& of) noexcept
{
    return static_cast<bits>((1u << static_cast<unsigned>(of.peers)) - 1);
}

constexpr bool is_majority(const settings& of, bits set) noexcept
{
    return 2 * std::popcount(set) > of.peers;
}

inline std::string text(bits set)
{
    std::string list;
    for (int p = 0; p < max_peers; ++p)
        if (has(set, p)) list += (list.empty() ? "" : ",") + std::to_string(p);
    return "{" + list + "}";
}

}  // namespace papilio::model
