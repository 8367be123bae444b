#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL std::string error_category::message(int code) const
{
    switch (static_cast<errc>(code)) {
    case errc::stalled: return "stalled: no event is left to run";
    case errc::timed_out: return "timed out";
    case errc::disconnected: return "peer disconnected";
    case errc::silent: return "peer went silent";
    case errc::bad_message: return "malformed message";
    case errc::too_large: return "message too large";
    case errc::mismatch: return "peers disagree about the call";
    case errc::peer_failed: return "a peer gave up";
    case errc::outcome_unknown: return "outcome unknown: votes are missing";
    case errc::not_finite: return "NaN or infinity among the elements";
    case errc::bad_argument: return "bad argument";
    case errc::refused: return "refused by the other side";
    case errc::run_over: return "the run is over";
    case errc::aborted: return "the calls of the group were aborted";
    case errc::left_out: return "the others have gone on without this peer";
    case errc::no_contribution:
        return "weights of 0: nobody contributes, or, in stages, too few do for this operation";
    case errc::corrupted: return "message corrupted on its way";
    }
    return "unknown papilio error";
}

namespace detail {

PAPILIO_SHARED inline const error_category the_category{};

}  // namespace detail

PAPILIO_DECL const std::error_category& category() noexcept
{
    return detail::the_category;
}

PAPILIO_DECL std::string sentence(const std::system_error& failure)
{
    std::string text = failure.what();
    const std::string words = ": " + failure.code().message();
    if (text.ends_with(words)) text.resize(text.size() - words.size());
    return text;
}

}  // namespace papilio
