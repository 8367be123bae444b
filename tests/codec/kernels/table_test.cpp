#include <papilio/codec/kernels/table.hpp>

#include "codec/kernels/comparison.hpp"
#include "codec/kernels/levels.hpp"

#include <papilio/base/bytes.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/kernels/scalar.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

using namespace papilio;
using namespace papilio::detail;
using namespace papilio::kernels_testing;

namespace {

/// What `kernels` refuse to encode, the `reference` does, with the infinities and NaN in it.
outcome run(const half_kernels& kernels, const half_kernels& reference, floats values,
            const floats& sums, std::size_t offset)
{
    const auto n = values.size(), size = n * sizeof(float);
    outcome made{true, {2 * n, offset}, {0, 0}, true, {size, 0}, {sums.data(), size, 4}, true};
    made.taken = kernels.encode(values.data(), n, made.encoded.data());
    if (!made.taken) reference.encode(values.data(), n, made.encoded.data());
    made.plausible = kernels.decode(made.encoded.data(), n, made.decoded.as<float>());
    made.added = kernels.accumulate(made.encoded.data(), n, made.sums.as<float>());
    return made;
}

void compare(const half_kernels& one, const half_kernels& other, const floats& values,
             const floats& sums, std::size_t offset)
{
    const auto a = run(one, one, values, sums, 0), b = run(other, one, values, sums, offset);
    const bool finite = all_finite(values);
    for (const auto* made : {&a, &b}) {
        REQUIRE(made->taken == finite);
        REQUIRE(made->plausible == finite);
        REQUIRE(made->added == finite);
    }
    if (!finite) return;
    REQUIRE(a.encoded == b.encoded);
    REQUIRE(a.decoded == b.decoded);
    REQUIRE(a.sums == b.sums);
}

void compare(const kernel_table& one, const kernel_table& other, const floats& values,
             const floats& sums, std::size_t offset, papilio::random& numbers)
{
    compare(one.as_f16, other.as_f16, values, sums, offset);
    compare(one.as_bf16, other.as_bf16, values, sums, offset);
    compare_blocks<int8b_format>(one.int8b, other.int8b, values, sums, offset, numbers);
    compare_blocks<int4b_format<32>>(one.int4b_32, other.int4b_32, values, sums, offset, numbers);
    compare_blocks<int4b_format<128>>(one.int4b_128, other.int4b_128, values, sums, offset,
                                      numbers);
}

struct uniform8_outcome {
    moments of = {};
    bucket_tile tile = {};
    floats decoded;

    uniform8_outcome(const uniform8_kernels& kernels, const floats& values, uniform8_scale by)
        : decoded(values.size())
    {
        const auto n = values.size();
        kernels.add_moments(values.data(), n, values[0], of);
        kernels.classify(values.data(), n, by, tile);
        float book[256];
        for (std::size_t i = 0; i < 256; ++i) book[i] = static_cast<float>(i) + values[0];
        kernels.look_up(reinterpret_cast<const std::byte*>(tile.codes), n, book, decoded.data());
    }
};

template <class Output>
bool same(const Output& a, const Output& b)
{
    return std::memcmp(&a, &b, sizeof a) == 0;
}

void compare(const uniform8_kernels& one, const uniform8_kernels& other, const floats& values,
             uniform8_scale by)
{
    const uniform8_outcome a(one, values, by), b(other, values, by);
    REQUIRE(same(a.of, b.of));
    REQUIRE(same(a.tile.codes, b.tile.codes));
    REQUIRE(same(a.tile.words, b.tile.words));
    REQUIRE(same(a.tile.low, b.tile.low));
    REQUIRE(same(a.tile.high, b.tile.high));
    REQUIRE(std::memcmp(a.decoded.data(), b.decoded.data(), values.size() * sizeof(float)) == 0);
}

}  // namespace

TEST_CASE("kernels of all levels give the same bytes and bits")
{
    const auto all = levels();
    for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
        papilio::random numbers(hash(seed));
        for (std::size_t done = 0; done < 50'000;) {
            const auto n = numbers.below(1000);
            const auto values = some_input(numbers, n);
            floats sums(n);
            for (auto& x : sums) x = static_cast<float>(numbers.normal());
            for (std::size_t k = 1; k < all.size(); ++k) {
                INFO("PAPILIO_SEEDS=" << seed + 1 << ", level " << k);
                compare(*all[0], *all[k], values, sums, numbers.below(64), numbers);
            }
            done += n;
        }
    }
}

TEST_CASE("kernels of all levels find the same moments, codes and buckets for uniform8")
{
    const auto all = levels();
    papilio::random numbers(8);
    for (int round = 0; round < 20'000; ++round) {
        auto values =
            some_input(numbers, sum_lanes * (1 + numbers.below(bucket_tile::size / sum_lanes)));
        for (auto& x : values) x = std::isfinite(x) ? x : 1;  // others are refused before
        const float mean = values[numbers.below(values.size())];
        const auto exponent = static_cast<int>(numbers.below(240)) - 120;
        const auto inverse = static_cast<float>(std::ldexp(1 + numbers.uniform(), exponent));
        for (std::size_t k = 1; k < all.size(); ++k)
            compare(all[0]->uniform8, all[k]->uniform8, values, {mean, inverse});
    }
}

TEST_CASE("kernels of all levels agree at every length, however the last values end")
{
    papilio::random numbers(7);
    for (std::size_t n = 0; n <= 300; ++n) {
        floats values(n), sums(n);
        for (auto& x : values) x = static_cast<float>(numbers.normal());
        for (std::size_t k = 1; k < levels().size(); ++k)
            compare(*levels()[0], *levels()[k], values, sums, n % 5, numbers);
    }
}

TEST_CASE("kernels of all levels round every pattern of a 16-bit float's neighbours alike")
{
    for (std::size_t k = 1; k < levels().size(); ++k) {
        for (std::uint32_t upper = 0; upper < 65536; upper += 16) {
            floats values;
            for (std::uint32_t i = 0; i < 16; ++i)
                for (const std::uint32_t lower : {0u, 1u, 0x1000u, 0x2fffu, 0x3000u, 0x3001u,
                                                  0x7fffu, 0x8000u, 0x8001u, 0xf000u, 0xffffu})
                    values.push_back(std::bit_cast<float>((upper + i) << 16 | lower));
            const floats sums(values.size());
            compare(levels()[0]->as_f16, levels()[k]->as_f16, values, sums, 0);
            compare(levels()[0]->as_bf16, levels()[k]->as_bf16, values, sums, 0);
        }
    }
}

TEST_CASE("kernels of all levels accept the same scales with the same codes")
{
    const auto check = [](auto format, block_kernels kernel_table::*kernels) {
        using form = decltype(format);
        for (std::uint32_t scale = 0; scale < 65536; ++scale) {
            for (const int code : {0, 1, 6, 7, 8, 125, 126, 127, 128}) {
                std::byte codes[form::block] = {}, scales[2];
                store(scales, static_cast<std::uint16_t>(scale));
                codes[form::block / 2 - 1] = static_cast<std::byte>(code);
                float expected[form::block], values[form::block];
                const bool fine = (levels()[0]->*kernels).decode(codes, scales, 1, expected);
                for (const auto* level : levels()) {
                    const bool fine_here = (level->*kernels).decode(codes, scales, 1, values);
                    if (fine_here != fine || (fine && std::memcmp(values, expected, sizeof values)))
                        FAIL("scale " << scale << ", code " << code);
                }
            }
        }
    };
    check(int8b_format{}, &kernel_table::int8b);
    check(int4b_format<32>{}, &kernel_table::int4b_32);
    check(int4b_format<128>{}, &kernel_table::int4b_128);
}

TEST_CASE("a process has one table of kernels, whichever translation unit asks")
{
    CHECK(&kernels() == &kernels_elsewhere());
    CHECK(levels() == levels_elsewhere());
    CHECK(&kernels() == &choose_kernels(std::getenv("PAPILIO_ISA")));
}

TEST_CASE("PAPILIO_ISA asks for a level of kernels by name")
{
    CHECK(&choose_kernels(nullptr) == levels().back());
    CHECK(&choose_kernels("") == levels().back());
    CHECK(&choose_kernels("scalar") == &scalar_kernels);
    for (const auto& [level, name] :
         {std::pair{isa::avx2, "avx2"}, std::pair{isa::avx512, "avx512"}}) {
        if (const auto* table = kernels_of(level)) {
            CHECK(&choose_kernels(name) == table);
            CHECK(table->level == level);
        } else {
            CHECK_THROWS_WITH(choose_kernels(name), Catch::Contains("lacks"));
        }
    }
    try {
        choose_kernels("sse9");
        FAIL("took sse9");
    } catch (const std::system_error& error) {
        CHECK(error.code() == errc::bad_argument);
        CHECK(std::string(error.what()).find("scalar, neon, avx2 or avx512") != std::string::npos);
    }
}
