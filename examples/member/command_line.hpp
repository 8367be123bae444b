#pragma once

#include <string>

namespace CLI {
class App;
}

namespace papilio::example {

/// How a program was called, without its folder.
std::string program_name(int argc, const char* const* argv);

/// Adds --version, and reads the command line and, where there is a --config, its file. Throws
/// `CLI::Success` after printing help or version, and `CLI::Error` for what is invalid; for a name
/// that is no option's, in the file as well, with the nearest one that is.
void read_command_line(CLI::App& app, int argc, const char* const* argv);

}  // namespace papilio::example
