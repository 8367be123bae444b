#include <papilio/transport/mesh_options.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using pa::detail::check_mesh_options;

TEST_CASE("options of a mesh that cannot be meant are named, with the range and the value")
{
    CHECK_NOTHROW(check_mesh_options({}, 1, 2));
    CHECK_THROWS_WITH(check_mesh_options({}, 2, 2),
                      Contains("must be 0 to 1") && Contains("not 2"));
    CHECK_THROWS_WITH(check_mesh_options({.max_peers = 1}, 0, 2),
                      Contains("max_peers must be 0 or at least") && Contains("2, not 1"));
    CHECK_THROWS_WITH(check_mesh_options({.heartbeat = 0s}, 0, 2),
                      Contains("heartbeat must be positive, not 0 ms"));
    CHECK_THROWS_WITH(check_mesh_options({.idle_timeout = 500ms}, 0, 2),
                      Contains("idle_timeout must be zero or longer than heartbeat, 1000 ms") &&
                          Contains("not 500 ms"));
    CHECK_THROWS_WITH(check_mesh_options({.max_message = std::size_t{1} << 32}, 0, 2),
                      Contains("max_message must be below 4 GiB, not 4294967296 bytes"));
}
