#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>

#include <cstdint>
#include <system_error>
#include <variant>

namespace papilio::inline PAPILIO_MODE::detail {

/// That its sender holds what a view has settled on: a settlement with this digest.
struct view_vote {
    std::uint8_t view = 0;
    std::uint64_t settlement = 0;
};

/// What a `voter` has to say.
struct parcel {
    rank_set to;
    std::variant<wire::promise, wire::proposal, view_vote, wire::answer> message;
    std::uint32_t index = 0;  ///< of a promise: how often this view was promised before
};

/// How a call has ended for a voter.
struct view_ending {
    std::error_code why{};  ///< nothing: it has succeeded
    int culprit = -1;       ///< of a failure: the rank at fault, or -1
};

}  // namespace papilio::detail
