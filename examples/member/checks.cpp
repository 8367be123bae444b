#include "checks.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/text.hpp>
#include <papilio/session/endpoint_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace papilio::example {

namespace {

template <class T>
std::optional<T> parsed(const std::string& text)
{
    T value{};
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    return value;
}

/// NaN when `text` is not a number.
double number(const std::string& text)
{
    return parsed<double>(text).value_or(std::numeric_limits<double>::quiet_NaN());
}

template <class Sentence>
CLI::Validator check(Sentence objection)
{
    return CLI::Validator([objection](std::string& text) { return objection(text); }, "");
}

std::string objection_to(const std::string& text, bool remote)
{
    try {
        const auto at = parse_endpoint(text);
        if (remote && at.port == 0) return "'" + text + "' names no port";
        if (remote && text.starts_with(':')) return "'" + text + "' names no host";
        return {};
    } catch (const problem& why) {
        return why.what();
    }
}

}  // namespace

CLI::Validator above_zero(double max)
{
    return check([max](const std::string& text) {
        const double value = number(text);
        if (value > 0 && value <= max) return std::string();
        return fmt::format("must be a number above 0{}, not '{}'",
                           value > max ? fmt::format(" and at most {}", max) : "", text);
    });
}

CLI::Validator between(double min, double max)
{
    return check([min, max](const std::string& text) {
        const double value = number(text);
        if (value >= min && value <= max) return std::string();
        return fmt::format("must be a number from {} to {}, not '{}'", min, max, text);
    });
}

CLI::Validator whole(std::uint64_t min, std::uint64_t max)
{
    return check([min, max](const std::string& text) {
        const auto value = parsed<std::uint64_t>(text);
        if (value && *value >= min && *value <= max) return std::string();
        return fmt::format("must be a whole number from {} to {}, not '{}'", min, max,
                           printable(text, 60));
    });
}

CLI::Validator listen_address(bool or_none)
{
    return check([or_none](const std::string& text) {
        return or_none && text == "none" ? std::string() : objection_to(text, false);
    });
}

CLI::Validator remote_address()
{
    return check([](const std::string& text) { return objection_to(text, true); });
}

CLI::Validator one_of(std::vector<std::string> names)
{
    const auto number = [names = std::move(names)](std::string& text) {
        const auto found = std::ranges::find(names, text);
        if (found == names.end())
            return fmt::format("must be one of {}, not '{}'", fmt::join(names, ", "),
                               printable(text, 60));
        text = std::to_string(found - names.begin());
        return std::string();
    };
    return CLI::Validator(number, "");
}

CLI::Validator reachable_address()
{
    return check([](const std::string& text) {
        try {
            parse_reachable(text);
            return std::string();
        } catch (const problem& why) {
            return std::string(why.what());
        }
    });
}

CLI::Validator reachable_host()
{
    const auto host = [](std::string& text) {
        try {
            const auto at = parse_reachable(text);
            if (at.port != 0) return "'" + text + "' names a port, but each member has its own";
            text = at.host;
            return std::string();
        } catch (const problem& why) {
            return std::string(why.what());
        }
    };
    return CLI::Validator(host, "");
}

CLI::Validator readable_text()
{
    return check([](const std::string& text) {
        if (readable(text) && text.size() <= 60) return std::string();
        return fmt::format("must be at most 60 bytes of UTF-8 without control characters, not '{}'",
                           printable(text, 60));
    });
}

}  // namespace papilio::example
