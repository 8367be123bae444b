#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <system_error>
#include <type_traits>

// Refusals of options and of fields of messages, all in one form.
namespace papilio::inline PAPILIO_MODE::detail {

inline std::string value_text(const std::string& value)
{
    return value;
}
inline std::string value_text(std::chrono::nanoseconds value)
{
    return std::to_string(value.count()) + " ns";
}
template <class Number>
requires std::is_arithmetic_v<Number> std::string value_text(Number value)
{
    if constexpr (std::is_integral_v<Number>) {
        return std::to_string(value);
    } else {
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.9g", static_cast<double>(value));
        return text.data();
    }
}

/// "call_options::weight is at least 0 and below 2^53: it is -1": what a value is called, what it
/// may be, and what it is.
template <class Value>
std::system_error bad_value(errc code, const std::string& name, const std::string& valid,
                            const Value& found)
{
    return {code, name + " is " + valid + ": it is " + value_text(found)};
}

/// The same of an option.
template <class Value>
std::system_error bad_value(const std::string& name, const std::string& valid, const Value& found)
{
    return bad_value(errc::bad_argument, name, valid, found);
}

/// A list that has one entry for each of several things has another number of them.
inline std::system_error bad_length(const std::string& name, std::size_t found,
                                    const std::string& wanted)
{
    return {errc::bad_argument, name + " has " + std::to_string(found) + " entries for " + wanted};
}

inline std::system_error bad_length(const std::string& name, std::size_t found, std::size_t peers)
{
    return bad_length(name, found, "a group of " + std::to_string(peers));
}

}  // namespace papilio::detail
