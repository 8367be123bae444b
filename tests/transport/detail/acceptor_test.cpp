#include <papilio/transport/detail/acceptor.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/sim/world.hpp>

#include <support/collected_log.hpp>

#include <catch2/catch.hpp>

#include <algorithm>

namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

struct script {
    int failures = 0;     // before each connection
    int connections = 0;  // left
    int tried = 0;
};

/// Fails so many times before each connection, and then has no more.
struct fake_listener {
    using connection = int;

    pa::task<> readable() { co_await pa::sleep_for(what->connections > 0 ? 1ms : 1h); }
    int accept(std::error_code& error)
    {
        if (what->tried++ < what->failures) {
            error = std::make_error_code(std::errc::too_many_files_open);
            return 0;
        }
        what->tried = 0;
        return what->connections--;
    }
    static bool would_block(std::error_code) { return false; }

    script* what;
};

}  // namespace

TEST_CASE("an acceptor that runs out of files says so once, until it accepts again")
{
    const pa::test::collected_log log;
    pa::sim::world world;
    script what{.failures = 10, .connections = 2};
    int seen = 0;
    const auto handshake = [&](int) -> pa::task<> {
        ++seen;
        co_return;
    };
    const pa::detail::acceptor<fake_listener> acceptor(world, fake_listener{&what}, handshake);
    pa::sync_wait(world, pa::sleep_for(1s));
    CHECK(seen == 2);
    CHECK(log.count("warning: accept failed why=\"Too many open files\"") == 2);
}

TEST_CASE("of many silent strangers no more than the limit are heard at a time")
{
    pa::sim::world world;
    script what{.connections = 300};
    int heard = 0, most = 0;
    const auto handshake = [&](int) -> pa::task<> {
        most = std::max(most, ++heard);
        co_await pa::sleep_for(10s);
        --heard;
    };
    const pa::detail::acceptor<fake_listener> acceptor(world, fake_listener{&what}, handshake);
    pa::sync_wait(world, pa::sleep_for(5s));
    CHECK(most == 256);
    CHECK(heard == 256);
}
