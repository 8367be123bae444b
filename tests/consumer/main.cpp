// What a stranger's first program needs: the headers, and the flags that came with them.

#include <papilio/base/error.hpp>

#ifdef WITH_TCP
#include <papilio/async/asio_loop.hpp>
#endif

#include <cstdio>

std::error_code second();

int main()
{
    if (second() != papilio::errc::stalled) return 1;
    std::printf("papilio says: %s\n", second().message().c_str());
}
