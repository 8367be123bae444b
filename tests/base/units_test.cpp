#include <papilio/base/units.hpp>

#include <catch2/catch.hpp>

using namespace papilio;
using namespace std::chrono_literals;

TEST_CASE("sizes are told in powers of 1024, rounded to three digits")
{
    CHECK(human_bytes(0) == "0 B");
    CHECK(human_bytes(1023) == "1023 B");
    CHECK(human_bytes(1024) == "1 KiB");
    CHECK(human_bytes(1536) == "1.5 KiB");
    CHECK(human_bytes(64 << 20) == "64 MiB");
    CHECK(human_bytes((1 << 20) - 1) == "1 MiB");
    CHECK(human_bytes(1'234'567'890) == "1.15 GiB");
    CHECK(human_bytes(~std::uint64_t{0}) == "16 EiB");
}

TEST_CASE("durations are told in the units in which people would say them")
{
    CHECK(human_duration(0ns) == "0 s");
    CHECK(human_duration(250us) == "250 us");
    CHECK(human_duration(1500ms) == "1.5 s");
    CHECK(human_duration(59'400ms) == "59.4 s");
    CHECK(human_duration(59'600ms) == "1 min 0 s");
    CHECK(human_duration(125s) == "2 min 5 s");
    CHECK(human_duration(3h + 20min) == "3 h 20 min");
    CHECK(human_duration(3h + 20min + 40s) == "3 h 21 min");
    CHECK(human_duration(-1500ms) == "-1.5 s");
    CHECK(human_duration(std::chrono::nanoseconds::max()) == "2562047 h 47 min");
    CHECK(human_duration(std::chrono::nanoseconds::min()) == "-2562047 h 47 min");
}
