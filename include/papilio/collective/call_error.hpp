#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <string>

namespace papilio::inline PAPILIO_MODE {

/// What a peer was waited for when a call failed, or was at when it failed by its own fault.
enum class phase {
    contribution,  ///< its elements of the part that this peer reduces
    result,        ///< the part that it reduces
    vote,          ///< its word that it holds the result
};

constexpr const char* name(phase p) noexcept
{
    switch (p) {
    case phase::contribution: return "contribution";
    case phase::result: return "result";
    case phase::vote: return "vote";
    }
    return "?";
}

/// A call has failed. The caller's data is as it was before the call.
class call_error : public std::system_error {
public:
    call_error(std::error_code why, int culprit, int reporter, phase where,
               const std::string& detail = {});

    /// The rank whose fault it was, as far as is known, else -1. May be this peer's own.
    int culprit() const noexcept { return culprit_; }

    /// The rank that blames the culprit: this peer's own, or that of one that gave up first.
    int reporter() const noexcept { return reporter_; }

    phase where() const noexcept { return where_; }

    /// What went wrong, without who and where.
    const std::string& detail() const noexcept { return detail_; }

private:
    int culprit_;
    int reporter_;
    phase where_;
    std::string detail_;
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/impl/call_error.hpp>
#endif
