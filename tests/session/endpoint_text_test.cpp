#include <papilio/session/endpoint_text.hpp>
#include <papilio/session/problem.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

TEST_CASE("an address is a host and a port")
{
    CHECK(parse_endpoint("10.0.0.1:5400") == tcp::endpoint{"10.0.0.1", 5400});
    CHECK(parse_endpoint("example.org:1") == tcp::endpoint{"example.org", 1});
    CHECK(parse_endpoint("[::1]:65535") == tcp::endpoint{"::1", 65535});
    CHECK(parse_endpoint(":5400") == tcp::endpoint{"::", 5400});
}

TEST_CASE("whatever is no address is answered by one")
{
    for (const char* text : {"", "5400", "host", "host:", "host:port", "host:65536", "host:-1",
                             "::1:5400", "host:80x", "host: 80"}) {
        INFO(text);
        CHECK_THROWS_WITH(parse_endpoint(text), Catch::Contains("is no address: write host:port"));
    }
}

TEST_CASE("the port of an address by which others reach a host may be left out")
{
    CHECK(parse_reachable("run.example") == tcp::endpoint{"run.example", 0});
    CHECK(parse_reachable("run.example:7") == tcp::endpoint{"run.example", 7});
    CHECK(parse_reachable("[::1]") == tcp::endpoint{"::1", 0});
    CHECK(parse_reachable("[::1]:7") == tcp::endpoint{"::1", 7});
    for (const char* text : {"", ":7", "::1", "host:port"})
        CHECK_THROWS_AS(parse_reachable(text), problem);
}
