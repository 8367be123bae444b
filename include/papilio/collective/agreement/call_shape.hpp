#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/voters.hpp>
#include <papilio/wire/call_extent.hpp>

#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What all peers know of a call before it begins, as far as views depend on it.
struct call_shape {
    voters who;
    wire::call_extent extent;
    std::vector<rank_set> needed_by;  ///< of each part, who is to hold its result
    bool uniform = false;             ///< all chunks of the result have the same contributors

    /// A part is what its owner has: nobody can make it anew. Where neither the owner nor all of
    /// its part is left, a settlement leaves the part out.
    bool gathers = false;
};

}  // namespace papilio::detail
