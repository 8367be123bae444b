#pragma once

#include <papilio/session/session_host.hpp>

#include <string>

namespace papilio::example {

/// What the command line of papilio-rendezvous says.
struct rendezvous_program_options {
    session_host_options host;
    double minutes = 0;       ///< after which the run ends; 0: no limit
    std::string log = "off";  ///< the least level of the library's events that are printed
};

/// Throws as `read_command_line` does.
rendezvous_program_options parse_rendezvous_options(int argc, const char* const* argv);

}  // namespace papilio::example
