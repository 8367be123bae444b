#include <papilio/base/tiles.hpp>

#include <catch2/catch.hpp>

#include <type_traits>

using namespace papilio;

TEST_CASE("tiles cover every element once, and only the last has a size known late")
{
    for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 16u, 100u}) {
        std::size_t end = 0, late = 0;
        detail::for_each_tile<8>(count, [&](std::size_t begin, auto size) {
            CHECK(begin == end);
            CHECK(size > 0);
            if (std::is_same_v<decltype(size), std::size_t>) ++late;
            end = begin + size;
        });
        CHECK(end == count);
        CHECK(late == (count % 8 == 0 ? 0 : 1));
    }
}
