#pragma once

#include <functional>
#include <string_view>

namespace papilio::example {

/// What the rendezvous tells members that it dismisses at the run's end.
inline constexpr std::string_view run_is_over = "the run is over";

/// What the programs end with.
enum exit_code : int {
    exit_ok = 0,       ///< all went well, or it was asked to stop and did so in good order
    exit_failure = 1,  ///< a sentence on stderr says what is wrong
    exit_usage = 2,    ///< so do options that make no sense
    exit_unmet = 3,    ///< the run came to its end, but not to what was demanded of it
};

/// Calls `body`, which returns an exit code; what it throws becomes a sentence on stderr and a
/// code.
int run_program(const char* name, const std::function<int()>& body);

}  // namespace papilio::example
