// A second unit with the same headers: linking the two proves that they define nothing twice.

#include <papilio/base/error.hpp>

#ifdef WITH_TCP
#include <papilio/async/asio_loop.hpp>
#endif

std::error_code second()
{
    return papilio::errc::stalled;
}
