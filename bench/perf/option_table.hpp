#pragma once

#include "perf/options.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::perf {

/// The values of options that can be interpreted only after all options are read.
struct raw_options {
    std::size_t least = std::size_t{64} << 20;
    std::optional<std::size_t> most;
    std::size_t factor = 2;
    std::size_t step = 0;
    std::vector<double> up, down;
    std::string radices;
    std::string losses;
    std::string transport;
    bool local = false;
    bool netns = false;
    bool simulated = false;
};

/// Sets the option `name` if it is one that takes no value; else returns false.
bool read_flag(options& o, raw_options& r, std::string_view name);

/// Sets the option `name` to `value`. Ends the program with a message if the value is wrong.
using option_reader = void (*)(options& o, raw_options& r, std::string_view name,
                               std::string_view value);

/// The reader of the option `name`; null: there is no such option.
option_reader find_option(std::string_view name);

}  // namespace papilio::perf
