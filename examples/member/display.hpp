#pragma once

#include <cstddef>
#include <string>

// Output on a terminal.
namespace papilio::example {

/// "1.5 s", "2 min 5 s".
std::string span_of(double seconds);

/// The size of a terminal.
struct display_size {
    std::size_t columns = std::string::npos;
    std::size_t lines = std::string::npos;
};

/// The size of the terminal at standard output; no limits where that is none.
display_size size_of_display();

/// Cuts the lines to this size, so that drawing them neither wraps nor scrolls. The last line tells
/// how many were left out.
std::string fitted(const std::string& lines, display_size size);

}  // namespace papilio::example
