#include <papilio/codec/kernels/further.hpp>

#include "codec/kernels/comparison.hpp"
#include "codec/kernels/levels.hpp"
#include "contract/codec_contract.hpp"

#include <papilio/base/bytes.hpp>
#include <papilio/codec/fp4.hpp>
#include <papilio/codec/fp8.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/kernels/further_scalar.hpp>
#include <papilio/codec/nf4b.hpp>
#include <papilio/codec/sign1.hpp>
#include <papilio/codec/stochastic.hpp>

using namespace papilio;
using namespace papilio::detail;
using namespace papilio::kernels_testing;

namespace {

/// Of the levels that this machine can run, the reference first.
std::vector<const further_kernels*> further_levels()
{
    std::vector<const further_kernels*> found;
    for (const auto* table : levels()) found.push_back(&further_kernels_of(table->level));
    return found;
}

/// Calls `check` with the reference and with each other level.
template <class Check>
void with_levels(Check check)
{
    const auto all = further_levels();
    for (std::size_t k = 1; k < all.size(); ++k) {
        INFO("level " << static_cast<int>(all[k]->level));
        check(*all[0], *all[k]);
    }
}

/// Calls `check(format, kernels)` for all codecs with blocks of one scale.
template <class Check>
void for_each_format(Check check)
{
    check(nf4_block{}, &further_kernels::nf4b);
    check(fp8_block<e4m3>{}, &further_kernels::fp8_e4m3);
    check(fp8_block<e5m2>{}, &further_kernels::fp8_e5m2);
    check(sign_block{}, &further_kernels::sign1);
}

struct encoded_run {
    placed codes, inner, outer;

    encoded_run(std::size_t runs, std::size_t offset)
        : codes(runs * fp4_run::code_bytes, offset),
          inner(runs * fp4_run::count, offset),
          outer(2 * runs, offset)
    {
    }
    bool operator==(const encoded_run&) const = default;
};

void compare_read_fp4(const fp4_kernels& one, const fp4_kernels& other, encoded_run& bytes,
                      std::size_t runs, const floats& sums)
{
    const auto size = runs * fp4_run::size * sizeof(float);
    placed values[] = {{size, 0}, {size, 4}},
           added[] = {{sums.data(), size, 4}, {sums.data(), size, 0}};
    bool plausible[2], plausible_sums[2];
    for (const int k : {0, 1}) {
        const auto& kernels = k == 0 ? one : other;
        plausible[k] = kernels.decode(bytes.codes.data(), bytes.inner.data(), bytes.outer.data(),
                                      runs, values[k].as<float>());
        plausible_sums[k] = kernels.accumulate(bytes.codes.data(), bytes.inner.data(),
                                               bytes.outer.data(), runs, added[k].as<float>());
    }
    REQUIRE(plausible[0] == plausible[1]);
    REQUIRE(plausible_sums[0] == plausible[0]);
    REQUIRE(plausible_sums[1] == plausible[0]);
    if (!plausible[0]) return;
    REQUIRE(values[0] == values[1]);
    REQUIRE(added[0] == added[1]);
}

void compare_fp4(const fp4_kernels& one, const fp4_kernels& other, const floats& values,
                 const floats& sums, std::size_t offset, papilio::random& numbers)
{
    const auto runs = values.size() / fp4_run::size;
    encoded_run a(runs, 0), b(runs, offset);
    const bool taken =
        one.encode(values.data(), runs, a.codes.data(), a.inner.data(), a.outer.data());
    REQUIRE(other.encode(values.data(), runs, b.codes.data(), b.inner.data(), b.outer.data()) ==
            taken);
    if (!taken || runs == 0) return;
    REQUIRE(a == b);
    compare_read_fp4(one, other, b, runs, sums);
    for (int damage = 0; damage < 6; ++damage) {
        placed* const parts[] = {&b.codes, &b.inner, &b.outer};
        const std::size_t sizes[] = {fp4_run::code_bytes, fp4_run::count, 2};
        const auto part = numbers.below(3);
        parts[part]->data()[numbers.below(runs * sizes[part])] = static_cast<std::byte>(numbers());
        compare_read_fp4(one, other, b, runs, sums);
    }
}

template <class Format>
void compare_stochastic(stochastic_kernel one, stochastic_kernel other, const floats& values,
                        std::size_t offset, papilio::random& numbers)
{
    const auto blocks = values.size() / Format::block;
    const auto code_bytes = blocks * Format::block * Format::bits / 8;
    placed codes[] = {{code_bytes, 0}, {code_bytes, offset}};
    placed scales[] = {{2 * blocks, 0}, {2 * blocks, offset}};
    const auto draws = numbers();
    const bool taken = one(values.data(), blocks, draws, codes[0].data(), scales[0].data());
    REQUIRE(other(values.data(), blocks, draws, codes[1].data(), scales[1].data()) == taken);
    if (!taken) return;
    REQUIRE(codes[0] == codes[1]);
    REQUIRE(scales[0] == scales[1]);
}

void compare_further(const further_kernels& one, const further_kernels& other, const floats& values,
                     const floats& sums, std::size_t offset, papilio::random& numbers)
{
    for_each_format([&](auto format, auto kernels) {
        compare_blocks<decltype(format)>(one.*kernels, other.*kernels, values, sums, offset,
                                         numbers);
    });
    compare_fp4(one.fp4, other.fp4, values, sums, offset, numbers);
    const auto rounded_by_chance = [&](auto format, auto kernel) {
        compare_stochastic<decltype(format)>(one.*kernel, other.*kernel, values, offset, numbers);
    };
    rounded_by_chance(int8b_format{}, &further_kernels::stochastic_int8b);
    rounded_by_chance(int4b_format<32>{}, &further_kernels::stochastic_int4b_32);
    rounded_by_chance(int4b_format<128>{}, &further_kernels::stochastic_int4b_128);
}

void compare_levels(const floats& values, papilio::random& numbers)
{
    floats sums(values.size());
    for (auto& x : sums) x = static_cast<float>(numbers.normal());
    with_levels([&](const auto& one, const auto& other) {
        compare_further(one, other, values, sums, numbers.below(64), numbers);
    });
}

/// Fills runs of fp4, the longest block of all, with `some`, and `peak` in each short block.
floats runs_of(const floats& some, float peak)
{
    floats values;
    for (const float x : some) {
        if (values.size() % 32 == 0) values.push_back(peak);
        values.push_back(x);
    }
    while (values.size() % fp4_run::size != 0) values.push_back(-peak);
    return values;
}

}  // namespace

TEST_CASE("kernels of all levels give the same bytes and bits for the further codecs")
{
    for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
        INFO("PAPILIO_SEEDS=" << seed + 1);
        papilio::random numbers(hash(seed, 1));
        for (std::size_t done = 0; done < 50'000;) {
            const auto values = some_input(numbers, numbers.below(3000));
            compare_levels(values, numbers);
            done += values.size();
        }
    }
}

TEST_CASE("kernels of all levels round what lies halfway between two codes alike")
{
    papilio::random numbers(2);
    const auto check = [&](auto value, int codes, float largest) {
        floats halfway;
        for (int code = 0; code + 1 < codes; ++code) {
            const float middle = (value(code) + value(code + 1)) / 2;
            for (const float sign : {1.0f, -1.0f})
                for (const float x :
                     {middle, std::nextafter(middle, -largest), std::nextafter(middle, largest)})
                    halfway.push_back(sign * x);
        }
        for (const int exponent : {-108, -30, -1, 0, 1, 30, 110}) {
            auto scaled = halfway;
            for (auto& x : scaled) x = std::ldexp(x, exponent);
            compare_levels(runs_of(scaled, std::ldexp(largest, exponent)), numbers);
        }
    };
    const auto small_float = [](auto format) {
        return [](int code) {
            return minifloat_value<decltype(format)>(static_cast<std::uint8_t>(code));
        };
    };
    check(small_float(e4m3{}), e4m3::largest_code + 1, e4m3::largest);
    check(small_float(e5m2{}), e5m2::largest_code + 1, e5m2::largest);
    check(small_float(e2m1{}), e2m1::largest_code + 1, e2m1::largest);
    check([](int code) { return nf4_levels[code]; }, 16, 1);
    check([](int code) { return static_cast<float>(code); }, 128, 127);
    check([](int code) { return static_cast<float>(code); }, 8, 7);
}

TEST_CASE("kernels of all levels accept the same scales with the same codes of further codecs")
{
    for_each_format([](auto format, auto kernels) {
        using form = decltype(format);
        constexpr auto code_bytes = form::block * form::bits / 8;
        for (std::uint32_t scale = 0; scale < 65536; scale += scale % 128 < 4 ? 1 : 31) {
            for (const int code :
                 {0, 1, 0x0f, 0x77, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0xf7, 0xfb, 0xff}) {
                std::byte codes[code_bytes], scales[2];
                std::memset(codes, form::bits == 4 ? 0x77 : 0, sizeof codes);
                store(scales, static_cast<std::uint16_t>(scale));
                codes[code_bytes / 2 - 1] = static_cast<std::byte>(code);
                float expected[form::block], values[form::block];
                const auto& reference = scalar_further_kernels.*kernels;
                const bool fine = reference.decode(codes, scales, 1, expected);
                for (const auto* level : further_levels()) {
                    const bool fine_here = (level->*kernels).decode(codes, scales, 1, values);
                    if (fine_here != fine || (fine && std::memcmp(values, expected, sizeof values)))
                        FAIL(form::name << ", scale " << scale << ", code " << code);
                }
            }
        }
    });
}

TEST_CASE("kernels of all levels accept the same runs of fp4, whatever codes a block has")
{
    papilio::random numbers(3);
    for (int inner = 0; inner < 256; ++inner) {
        for (int code = 0; code < 16; ++code) {
            // The first block has the largest scale and code that are asked for; the last is tried.
            encoded_run run(1, 0);
            std::memset(run.codes.data(), 0, fp4_run::code_bytes);
            std::memset(run.inner.data(), 0, fp4_run::count);
            run.codes.data()[0] = std::byte{7};
            run.inner.data()[0] = std::byte{e4m3::largest_code};
            run.codes.data()[fp4_run::code_bytes - 1 - numbers.below(8)] =
                static_cast<std::byte>(numbers.below(2) == 0 ? code : code << 4);
            run.inner.data()[fp4_run::count - 1] = static_cast<std::byte>(inner);
            store(run.outer.data(), static_cast<std::uint16_t>(numbers.below(8) == 0 ? 0 : 0x3f80));
            const floats sums(fp4_run::size, 0.75f);
            with_levels([&](const auto& one, const auto& other) {
                compare_read_fp4(one.fp4, other.fp4, run, 1, sums);
            });
        }
    }
}

TEST_CASE("kernels of all levels find what is not finite wherever it stands")
{
    for (const float bad : {infinity, -infinity, from_bits(0x7f800001), from_bits(0xffffffff)}) {
        for (std::size_t at = 0; at < fp4_run::size; ++at) {
            floats values(fp4_run::size, 1);
            values[at] = bad;
            std::byte codes[fp4_run::size], inner[2 * fp4_run::count], outer[2];
            for (const auto* level : further_levels()) {
                for_each_format([&](auto format, auto kernels) {
                    const auto blocks = values.size() / decltype(format)::block;
                    REQUIRE_FALSE((level->*kernels).encode(values.data(), blocks, codes, inner));
                });
                REQUIRE_FALSE(level->fp4.encode(values.data(), 1, codes, inner, outer));
                REQUIRE_FALSE(level->stochastic_int8b(values.data(), 8, 0, codes, inner));
                REQUIRE_FALSE(level->stochastic_int4b_32(values.data(), 32, 0, codes, inner));
                REQUIRE_FALSE(level->stochastic_int4b_128(values.data(), 8, 0, codes, inner));
            }
        }
    }
}

TEST_CASE("a process runs the further kernels of the level that it has chosen")
{
    const auto level = kernels().level == isa::neon ? isa::scalar : kernels().level;
    CHECK(chosen_further_kernels().level == level);
    CHECK(&chosen_further_kernels() == &further_kernels_of(kernels().level));
    CHECK(&further_kernels_of(isa::scalar) == &scalar_further_kernels);
}

TEST_CASE("what the further codecs write of given numbers is the same in every version")
{
    const auto digest = [](const auto& codec) {
        std::uint64_t all = 0;
        papilio::random numbers(4);
        for (int round = 0; round < 300; ++round) {
            auto values = some_input(numbers, numbers.below(3000));
            for (auto& x : values) x = std::isfinite(x) ? x : 1;
            const auto bytes = codec_testing::encoded(codec, values);
            for (const auto byte : bytes) all = hash(all, static_cast<std::uint64_t>(byte));
            for (const float x : codec_testing::decoded<float>(codec, bytes, values.size()))
                all = hash(all, std::uint64_t{std::bit_cast<std::uint32_t>(x)});
        }
        return all;
    };
    CHECK(digest(nf4b{}) == 0x6b6c003515b8f283);
    CHECK(digest(fp8<e4m3>{}) == 0xbf739ab60827aaa8);
    CHECK(digest(fp8<e5m2>{}) == 0x39f04bc75967f2d2);
    CHECK(digest(fp4{}) == 0xa5dde9f1dd7bbd0a);
    CHECK(digest(sign1{}) == 0x379ad17150cb4840);
    CHECK(digest(stochastic<int8b>{.seed = 1}) == 0xe323fe2c3d98f15);
    CHECK(digest(stochastic<int4b<32>>{.seed = 1}) == 0x8ae946b9d9bfb356);
    CHECK(digest(stochastic<int4b<128>>{.seed = 1}) == 0xc74b42c20c5ff9d);
}
