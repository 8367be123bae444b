#pragma once

#include <papilio/base/config.hpp>

#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// What can end an operation. Thrown as `std::system_error`, or as a class derived from it that
/// names the culprit.
enum class errc {
    stalled = 1,      ///< nothing is left to run, yet the awaited task has not finished
    timed_out,        ///< the deadline passed first
    disconnected,     ///< the link to a peer is gone
    silent,           ///< a peer sent nothing, not even a sign of life, for too long
    bad_message,      ///< bytes that no honest peer could have sent
    too_large,        ///< a message exceeds the room or the limit set for it
    mismatch,         ///< peers disagree about what they were asked to compute
    peer_failed,      ///< another peer gave up, so the call cannot succeed
    outcome_unknown,  ///< this peer agreed and then heard no more: others may have succeeded
    not_finite,       ///< a NaN or an infinity where the codec takes only finite numbers
    bad_argument,     ///< options that contradict each other or the data
    refused,          ///< the other side does not want this connection or request
    no_contribution,  ///< weights of 0 leave out peers that the call cannot do without
};

/// Whether `code`, which may have come over the wire, is one of the above.
constexpr bool known(errc code) noexcept
{
    return code >= errc::stalled && code <= errc::no_contribution;
}

class error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "papilio"; }

    std::string message(int code) const override
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
        case errc::no_contribution:
            return "weights of 0: nobody contributes, or, in stages, too few do for this operation";
        }
        return "unknown papilio error";
    }
};

inline const std::error_category& category() noexcept
{
    static const error_category instance;
    return instance;
}

inline std::error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), category()};
}

/// What went wrong without the words of its code, which `what()` adds behind a colon.
inline std::string sentence(const std::system_error& failure)
{
    std::string text = failure.what();
    const std::string words = ": " + failure.code().message();
    if (text.ends_with(words)) text.resize(text.size() - words.size());
    return text;
}

}  // namespace papilio

template <>
struct std::is_error_code_enum<papilio::errc> : std::true_type {
};
