#pragma once

#include <papilio/session/problem.hpp>

#include <string>
#include <system_error>

namespace papilio::example {

using papilio::problem;

/// Throws a `problem` with the system's text for `error_number`: "cannot open data.txt: No
/// such file or directory".
[[noreturn]] inline void throw_system_problem(int error_number, const std::string& what)
{
    const std::error_code code(error_number, std::generic_category());
    throw problem(code, what + ": " + code.message());
}

}  // namespace papilio::example
