#include <papilio/plan/columns.hpp>

#include <catch2/catch.hpp>

#include <cstdint>

using namespace papilio;

TEST_CASE("the chunks of a part cover it in order and begin at multiples of the granule")
{
    for (const std::size_t size : {0u, 1u, 127u, 128u, 129u, 1000u})
        for (const std::size_t granule : {1u, 2u, 128u, 5000u})
            for (const std::size_t columns : {1u, 2u, 7u, 2000u}) {
                const part whole{17, size};
                std::size_t end = whole.begin;
                for (std::size_t c = 0; c < columns; ++c) {
                    const auto chunk = chunk_of(whole, granule, columns, c);
                    CHECK(chunk.begin == end);
                    CHECK(chunk.size <= largest_chunk(size, granule, columns));
                    if (chunk.size > 0) CHECK((chunk.begin - whole.begin) % granule == 0);
                    end = chunk.end();
                }
                CHECK(end == whole.end());
            }
}

TEST_CASE("the chunks of a part differ by a granule at most, but for the last one's end")
{
    const part whole{0, 1000 * 128 - 5};
    for (std::size_t c = 0; c < 77; ++c) {
        const auto chunk = chunk_of(whole, 128, 77, c);
        CHECK(chunk.size >= 12 * 128 - (c == 76 ? 5 : 0));
        CHECK(chunk.size <= 13 * 128);
    }
    CHECK(largest_chunk(1000 * 128 - 5, 128, 77) == 13 * 128);
    CHECK(largest_chunk(100, 128, 1) == 100);
}

TEST_CASE("there are as many columns as give chunks of the size asked for")
{
    CHECK(columns_for(1'000'000, 1, 65'536) == 16);
    CHECK(columns_for(1000, 128, 300) == 4);
    CHECK(columns_for(1000, 128, 5) == 8);
    CHECK(columns_for(1000, SIZE_MAX, 100) == 1);
    CHECK(columns_for(0, 1, 100) == 1);
}

TEST_CASE("the largest part there can be has chunks too")
{
    constexpr auto most = SIZE_MAX;
    CHECK(chunk_of({0, most}, 1, 3, 2).end() == most);
    CHECK(chunk_of({0, most}, most, 1, 0) == part{0, most});
    CHECK(columns_for(most, 1, 2) == most / 2 + 1);
}

TEST_CASE("what is in flight stays below what transports keep of a peer")
{
    CHECK(max_slots(1 << 20) == 24);
    CHECK(max_slots(100 << 20) == 1);
    CHECK(max_slots(0) > 0);
}

TEST_CASE("data is little when a peer sends no more than 16 KiB of it")
{
    CHECK(is_small(16 << 10, 2));
    CHECK_FALSE(is_small((16 << 10) + 1, 2));
    CHECK(is_small(64, 257));
    CHECK_FALSE(is_small(64, 258));
    CHECK_FALSE(is_small(0, 2));
    CHECK_FALSE(is_small(64, 1));
}

TEST_CASE("what waits for a chunk's last contribution is a fifth of the data, or 12 MiB")
{
    const std::size_t total = GENERATE(1, 1 << 20, 16 << 20, 25 << 20, std::size_t{1} << 30);
    const std::size_t partners = GENERATE(2, 3, 4, 48, 64, 100);
    const auto chunk = default_chunk_bytes(total, partners);
    CHECK(chunk >= 32 << 10);
    CHECK(default_slots(total, partners, chunk) >= 2);
    CHECK(default_slots(total, partners, chunk) * chunk * (partners - 1) <= max_waiting(total));
}

TEST_CASE("a part has two chunks or more, unless it is small")
{
    CHECK(default_chunk_bytes(1 << 20, 2) == 256 << 10);
    CHECK(default_chunk_bytes(1 << 20, 4) == 128 << 10);
    CHECK(default_chunk_bytes(64 << 20, 2) == 512 << 10);
    CHECK(default_chunk_bytes(64 << 20, 4) == 128 << 10);
    CHECK(default_chunk_bytes(100, 4) == 32 << 10);
}
