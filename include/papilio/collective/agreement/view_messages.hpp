#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_vote.hpp>

#include <optional>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a `voter` has to say: one of these messages. Its vote in view 0 is the call's own,
/// `wire::vote`. No `std::variant`, whose header every program would compile.
struct parcel {
    rank_set to;
    std::optional<wire::promise> promise{};
    std::optional<wire::proposal> proposal{};
    std::optional<wire::view_vote> vote{};
    std::optional<wire::answer> answer{};

    /// Calls `take` with the message.
    template <class F>
    void visit(F take) const
    {
        if (promise) take(*promise);
        if (proposal) take(*proposal);
        if (vote) take(*vote);
        if (answer) take(*answer);
    }
};

/// How a call has ended for a voter.
struct view_ending {
    std::error_code why{};  ///< nothing: it has succeeded
    int culprit = -1;       ///< of a failure: the rank at fault, or -1
};

}  // namespace papilio::detail
