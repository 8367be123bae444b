#pragma once

#include <cstdint>
#include <string>

namespace papilio::example {

/// What papilio-id does with a key file.
enum class id_command : std::uint8_t { create, show, check };

/// What the command line of papilio-id says.
struct id_options {
    id_command command{};
    std::string file;  ///< of `show` also an id
};

/// Throws as `read_command_line` does.
id_options parse_id_options(int argc, const char* const* argv);

}  // namespace papilio::example
