#include <papilio/probe/random_secret.hpp>

#include <catch2/catch.hpp>

TEST_CASE("no two secrets are the same")
{
    CHECK_FALSE(papilio::random_secret() == papilio::random_secret());
}
