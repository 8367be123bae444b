#include "display.hpp"

#include <papilio/base/saturate.hpp>
#include <papilio/base/text.hpp>
#include <papilio/base/units.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace papilio::example {

std::string span_of(double seconds)
{
    return human_duration(saturated_seconds(seconds));
}

display_size size_of_display()
{
    winsize w{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0 || w.ws_row == 0) return {};
    return {w.ws_col, w.ws_row};
}

std::string fitted(const std::string& lines, display_size size)
{
    std::vector<std::string> all;
    std::istringstream from(lines);
    for (std::string line; std::getline(from, line);) all.push_back(std::move(line));
    // The cursor takes one line.
    const std::size_t most = std::max<std::size_t>(size.lines, 2) - 1;
    if (all.size() > most) {
        const auto left_out = all.size() - most + 1;
        all.resize(most);
        all.back() = "... and " + std::to_string(left_out) + " more lines";
    }
    std::string fitting;
    for (const auto& line : all) fitting += printable(line, size.columns) + '\n';
    return fitting;
}

}  // namespace papilio::example
