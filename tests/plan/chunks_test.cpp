#include <papilio/plan/chunks.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

TEST_CASE("chunks cover their part in order, and all are full but the last")
{
    for (std::size_t size : {0u, 1u, 127u, 128u, 129u, 1000u}) {
        const part whole{17, size};
        for (std::size_t chunk : {1u, 2u, 128u, 5000u}) {
            std::size_t end = whole.begin;
            const auto count = chunk_count(whole, chunk);
            for (std::size_t i = 0; i < count; ++i) {
                const auto piece = chunk_of(whole, chunk, i);
                CHECK(piece.begin == end);
                CHECK(piece.size > 0);
                if (i + 1 < count) CHECK(piece.size == chunk);
                CHECK(piece.size <= chunk);
                end = piece.end();
            }
            CHECK(end == whole.end());
        }
    }
}

TEST_CASE("an empty part has no chunks")
{
    static_assert(chunk_count(part{5, 0}, 10) == 0);
    static_assert(chunk_count(part{5, 10}, 10) == 1);
    static_assert(chunk_of(part{5, 11}, 10, 1) == part{15, 1});
    SUCCEED();
}

TEST_CASE("a chunk is a multiple of the granule and never empty")
{
    CHECK(chunk_size(65536, 128) == 65536);
    CHECK(chunk_size(1000, 128) == 896);
    CHECK(chunk_size(5, 128) == 128);
    CHECK(chunk_size(0, 1) == 1);
    CHECK(chunk_size(1000, 1) == 1000);
}

TEST_CASE("the largest part there can be has chunks too")
{
    constexpr auto most = ~std::size_t{0};
    CHECK(chunk_count(part{0, most}, 2) == most / 2 + 1);
    CHECK(chunk_of(part{0, most}, 2, most / 2) == part{most - 1, 1});
}
