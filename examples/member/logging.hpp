#pragma once

#include <string>

namespace CLI {
class App;
}

namespace papilio::example {

/// Adds --log, which is `off` unless it is given.
void add_log(CLI::App& app, std::string& level, const std::string& group);

/// From now on prints the library's events of this level and the more important ones to standard
/// error, each after its time; `off`: none.
void log_from(const std::string& level);

}  // namespace papilio::example
