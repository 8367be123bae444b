#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/call_error.hpp>

#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

PAPILIO_DECL std::string describe_failure(int culprit, int reporter, phase where,
                                          const std::string& detail)
{
    std::string text = "call failed";
    if (culprit >= 0) text += " because of peer " + std::to_string(culprit);
    // Nobody waits for itself.
    if (culprit != reporter) text += std::string(", waiting for a ") + name(where);
    text += ", says peer " + std::to_string(reporter);
    if (!detail.empty()) text += ": " + detail;
    return text;
}

}  // namespace detail

PAPILIO_DECL call_error::call_error(std::error_code why, int culprit, int reporter, phase where,
                                    const std::string& detail)
    : std::system_error(why, detail::describe_failure(culprit, reporter, where,
                                                      detail == why.message() ? "" : detail)),
      culprit_(culprit),
      reporter_(reporter),
      where_(where),
      detail_(detail.empty() ? why.message() : detail)
{
}

}  // namespace papilio
