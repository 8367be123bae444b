#pragma once

#include <charconv>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// Ends the program with a message about its command line and exit status 2.
[[noreturn]] void refuse(const std::string& why);

/// Splits `text` at the separator. Without a separator the result has one piece.
std::vector<std::string_view> split(std::string_view text, char separator = ',');

/// Refuses a number out of bounds. An infinite bound is not named.
[[noreturn]] void refuse_number(std::string_view name, std::string_view text, double least,
                                double most);

/// Parses a finite number from `least` to `most`. `name` is the option, for the message.
template <class T>
T number(std::string_view name, std::string_view text, T least,
         T most = std::numeric_limits<T>::max())
{
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(value >= least && value <= most))
        refuse_number(name, text, static_cast<double>(least),
                      most == std::numeric_limits<T>::max()
                          ? std::numeric_limits<double>::infinity()
                          : static_cast<double>(most));
    return value;
}

/// Parses a size: "4096", "4K", "4KiB", "64M", "1G".
std::size_t size(std::string_view name, std::string_view text);

}  // namespace papilio::perf
