#include <papilio/base/rounding.hpp>

#include <catch2/catch.hpp>

TEST_CASE("a product is rounded before it is added to")
{
    // (1 + 2^-12)^2 - 1 is 2^-11 in floats; computed in one step, it is 2^-11 + 2^-24.
    volatile float factor = 1 + 0x1p-12f;
    float product[1] = {factor * factor};
    papilio::detail::round_now(product);
    CHECK(product[0] - 1 == 0x1p-11f);
}
