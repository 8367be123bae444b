#include "log_line.hpp"

#include <fmt/format.h>

#include <ctime>

namespace papilio::example {

std::string timestamp(std::chrono::system_clock::time_point at)
{
    using namespace std::chrono;
    const auto whole = floor<seconds>(at);
    const std::time_t seconds = system_clock::to_time_t(whole);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       duration_cast<milliseconds>(at - whole).count());
}

std::string log_line(std::string_view level, std::string_view text)
{
    return fmt::format("{} {}: {}", timestamp(), level, text);
}

}  // namespace papilio::example
