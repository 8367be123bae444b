#pragma once

#include <functional>
#include <string_view>

namespace papilio::example {

/// The reason that the rendezvous gives members at the end of the run.
inline constexpr std::string_view run_is_over = "the run is over";

/// Exit codes of the programs.
enum exit_code : int {
    exit_ok = 0,       ///< success, also after a requested stop
    exit_failure = 1,  ///< described by a sentence on stderr
    exit_usage = 2,    ///< invalid options
    exit_unmet = 3,    ///< the run ended with a shortcoming
};

/// Calls `body` and returns its exit code. Turns an exception into a sentence on stderr and a code.
int run_program(const char* name, const std::function<int()>& body);

}  // namespace papilio::example
