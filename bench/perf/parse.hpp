#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// Ends the program with a word about its command line.
[[noreturn]] void refuse(const std::string& why);

/// The pieces of `text` between separators; one, if there is none.
std::vector<std::string_view> split(std::string_view text, char separator = ',');

/// A number of at least `least`; `name` is the option that it belongs to.
template <class T>
T number(std::string_view name, std::string_view text, T least)
{
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= least))
        refuse(std::string(name) + " takes a number of at least " + std::to_string(least) +
               ", not " + std::string(text));
    return value;
}

/// "4096", "4K", "4KiB", "64M", "1G" in bytes.
std::size_t size(std::string_view name, std::string_view text);

}  // namespace papilio::perf
