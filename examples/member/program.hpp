#pragma once

#include <trainer/problem.hpp>

#include <functional>

namespace papilio::example {

/// Exit codes of the programs, which docs/reference/exit-codes.md explains.
enum exit_code : int {
    exit_ok = 0,        ///< the run has ended, or this program's own limit is reached
    exit_failure = 1,   ///< described by a sentence on stderr
    exit_usage = 2,     ///< invalid options
    exit_unmet = 3,     ///< the run ended with a shortcoming
    exit_gave_up = 75,  ///< waited in vain: start it again later (EX_TEMPFAIL of sysexits.h)
    exit_refused = 77,  ///< another try needs other options (EX_NOPERM)
};

/// What a program ends with that was stopped in good order by a signal, as shells say it.
constexpr int exit_by_signal(int number)
{
    return 128 + number;
}

/// Calls `body` and returns its exit code. Turns an exception into a sentence on stderr and a code.
int run_program(const char* name, const std::function<int()>& body);

}  // namespace papilio::example
