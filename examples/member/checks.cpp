#include "checks.hpp"

#include "endpoint.hpp"

#include <trainer/problem.hpp>

#include <papilio/base/text.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace papilio::example {

namespace {

/// Not a number: `text` is none.
double number(const std::string& text)
{
    double value = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    const bool whole = read.ec == std::errc{} && read.ptr == end;
    return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

template <class Sentence>
CLI::Validator check(Sentence objection)
{
    return CLI::Validator([objection](std::string& text) { return objection(text); }, "");
}

std::string objection_to(const std::string& text, bool to_be_dialled)
{
    try {
        const auto at = parse_endpoint(text);
        if (to_be_dialled && at.port == 0) return "'" + text + "' names no port";
        if (to_be_dialled && text.starts_with(':')) return "'" + text + "' names no host";
        return {};
    } catch (const problem& why) {
        return why.what();
    }
}

}  // namespace

CLI::Validator above_zero(double most)
{
    return check([most](const std::string& text) {
        const double value = number(text);
        if (value > 0 && value <= most) return std::string();
        return fmt::format("must be a number above 0{}, not '{}'",
                           value > most ? fmt::format(" and at most {}", most) : "", text);
    });
}

CLI::Validator between(double least, double most)
{
    return check([least, most](const std::string& text) {
        const double value = number(text);
        if (value >= least && value <= most) return std::string();
        return fmt::format("must be a number from {} to {}, not '{}'", least, most, text);
    });
}

CLI::Validator place_to_listen(bool or_none)
{
    return check([or_none](const std::string& text) {
        return or_none && text == "none" ? std::string() : objection_to(text, false);
    });
}

CLI::Validator place_to_dial()
{
    return check([](const std::string& text) { return objection_to(text, true); });
}

CLI::Validator readable_text()
{
    return check([](const std::string& text) {
        if (readable(text) && text.size() <= 60) return std::string();
        return std::string("must be at most 60 bytes of UTF-8, without control characters");
    });
}

}  // namespace papilio::example
