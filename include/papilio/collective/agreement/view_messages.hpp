#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_vote.hpp>

#include <system_error>
#include <variant>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a `voter` has to say. Its vote in view 0 is the call's own, `wire::vote`.
struct parcel {
    rank_set to;
    std::variant<wire::promise, wire::proposal, wire::view_vote, wire::answer> message;
};

/// How a call has ended for a voter.
struct view_ending {
    std::error_code why{};  ///< nothing: it has succeeded
    int culprit = -1;       ///< of a failure: the rank at fault, or -1
};

}  // namespace papilio::detail
