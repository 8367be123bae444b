#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace papilio::example {

/// A time as RFC 3339 has it, in UTC: "2026-11-29T16:05:04.123Z".
std::string timestamp(std::chrono::system_clock::time_point at = std::chrono::system_clock::now());

/// A line of a log, with time and level: "2026-11-29T16:05:04.123Z warning: text".
std::string log_line(std::string_view level, std::string_view text);

}  // namespace papilio::example
