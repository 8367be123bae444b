#pragma once

#include <CLI/CLI.hpp>

// What options accept, and sentences for what they do not: more readable than CLI11's own.
namespace papilio::example {

/// Numbers above 0, up to `most`.
CLI::Validator above_zero(double most = 1e9);

/// Numbers from `least` to `most`.
CLI::Validator between(double least, double most);
inline CLI::Validator zero_or_more()
{
    return between(0, 1e9);
}

/// host:port, where port 0 lets the system choose; or "none", where that may be.
CLI::Validator place_to_listen(bool or_none = false);

/// host:port, both of them.
CLI::Validator place_to_dial();

/// Text that others can be shown.
CLI::Validator readable_text();

}  // namespace papilio::example
