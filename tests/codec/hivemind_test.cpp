#include <papilio/codec/hivemind.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

TEST_CASE("the ids of hivemind's codecs are its own numbers, and 32")
{
    static_assert(codec<hivemind::uniform8, float> && codec<hivemind::meanstd16, double>);
    CHECK(static_cast<int>(hivemind::meanstd16::id) == 32 + 1);
    CHECK(static_cast<int>(hivemind::float16::id) == 32 + 2);
    CHECK(static_cast<int>(hivemind::quantile8::id) == 32 + 3);
    CHECK(static_cast<int>(hivemind::uniform8::id) == 32 + 4);
    CHECK(static_cast<int>(hivemind::blockwise8::id) == 32 + 5);
}
