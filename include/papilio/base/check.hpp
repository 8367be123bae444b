#pragma once

#include <papilio/base/config.hpp>

#include <cstdio>
#include <cstdlib>

namespace papilio::inline PAPILIO_MODE::detail {

[[noreturn]] inline void check_failed(const char* what, const char* file, int line) noexcept
{
    std::fprintf(stderr, "papilio: %s (%s:%d)\n", what, file, line);
    std::abort();
}

}  // namespace papilio::detail

/// Stops the program when `condition` does not hold, in release builds too. For bugs in papilio or
/// in the code that calls it; what a peer, a file or a user got wrong throws instead.
#define PAPILIO_CHECK(condition, what)                                               \
    do {                                                                             \
        if (!(condition)) ::papilio::detail::check_failed(what, __FILE__, __LINE__); \
    } while (false)
