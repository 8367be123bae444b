#pragma once

#include <cstddef>
#include <string>

// What the programs show to people.
namespace papilio::example {

/// "1.5 s", "2 min 5 s".
std::string span_of(double seconds);

/// Room on a terminal.
struct display_size {
    std::size_t columns = std::string::npos;
    std::size_t lines = std::string::npos;
};

/// Of the terminal that standard output is; without limits where it is none.
display_size size_of_display();

/// These lines, so that drawing them neither wraps nor scrolls: they are cut at the right, and the
/// last of too many tells how many are left out.
std::string fitted(const std::string& lines, display_size room);

}  // namespace papilio::example
