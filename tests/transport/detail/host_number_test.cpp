#include <papilio/transport/detail/host_number.hpp>

#include <catch2/catch.hpp>

using namespace papilio::detail;

static_assert(host_in_group(7, 1) == host_in_group(7, 1));

TEST_CASE("a host has another number in each group")
{
    CHECK(host_in_group(7, 1) != host_in_group(7, 2));
    CHECK(host_in_group(7, 1) != host_in_group(8, 1));
}

TEST_CASE("a host that is not known is none in any group")
{
    CHECK(host_in_group(0, 0) == 0);
    CHECK(host_in_group(0, 9) == 0);
}
