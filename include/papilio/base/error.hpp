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
    too_large,        ///< a message exceeds the buffer or the limit set for it
    mismatch,         ///< peers disagree about what they were asked to compute
    peer_failed,      ///< another peer gave up, so the call cannot succeed
    outcome_unknown,  ///< this peer agreed and then heard no more: others may have succeeded
    not_finite,       ///< a NaN or an infinity where the codec takes only finite numbers
    bad_argument,     ///< options that contradict each other or the data
    refused,          ///< the other side does not want this connection or request
    no_contribution,  ///< weights of 0 leave out peers that the call cannot do without
    corrupted,        ///< a message was changed on its way
    run_over,         ///< the run has ended, in good order
    left_out,         ///< the others have ended the call, or go on with it, without this peer
    aborted,          ///< somebody has ended the calls of the group, for a reason that it tells
};

/// Whether `code`, which may have come over the wire, is one of the above.
constexpr bool known(errc code) noexcept
{
    return code >= errc::stalled && code <= errc::aborted;
}

class PAPILIO_SHARED error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "papilio"; }

    std::string message(int code) const override;
};

/// One for all that a process has loaded, since codes compare by the address of their category.
const std::error_category& category() noexcept;

inline std::error_code make_error_code(errc code) noexcept
{
    return {static_cast<int>(code), category()};
}

/// What went wrong without the words of its code, which `what()` adds behind a colon.
std::string sentence(const std::system_error& failure);

}  // namespace papilio

template <>
struct std::is_error_code_enum<papilio::errc> : std::true_type {
};

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/error.hpp>
#endif
