#pragma once

#include <charconv>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// Ends the program with a word about its command line.
[[noreturn]] void refuse(const std::string& why);

/// The pieces of `text` between separators; one, if there is none.
std::vector<std::string_view> split(std::string_view text, char separator = ',');

/// The like for a number out of bounds; infinity is no bound.
[[noreturn]] void refuse_number(std::string_view name, std::string_view text, double least,
                                double most);

/// A finite number from `least` to `most`; `name` is the option that it belongs to.
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

/// "4096", "4K", "4KiB", "64M", "1G" in bytes.
std::size_t size(std::string_view name, std::string_view text);

}  // namespace papilio::perf
