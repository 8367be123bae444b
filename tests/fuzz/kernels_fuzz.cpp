// Feeds arbitrary bytes to the kernels of every level that this machine runs, which must agree with
// the reference: accept the same and make the same of it. The first byte picks what to run.

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/kernels/scalar.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace papilio;
using namespace papilio::detail;
using output = std::vector<std::byte>;

template <class Format>
void read_blocks(const block_kernels& one, const block_kernels& other, bytes input)
{
    constexpr auto code_bytes = Format::block * Format::bits / 8;
    const auto blocks = input.size() / (code_bytes + 2);
    const output codes(input.begin(),
                       input.begin() + static_cast<std::ptrdiff_t>(blocks * code_bytes));
    const auto rest = input.subspan(codes.size(), 2 * blocks);
    const output scales(rest.begin(), rest.end());
    std::vector<float> a(blocks * Format::block), b(a), c(a);
    const bool fine = one.decode(codes.data(), scales.data(), blocks, a.data());
    PAPILIO_CHECK(fine == other.decode(codes.data(), scales.data(), blocks, b.data()) &&
                      fine == other.accumulate(codes.data(), scales.data(), blocks, c.data()),
                  "levels disagree about what is plausible");
    for (std::size_t i = 0; fine && i < a.size(); ++i)
        PAPILIO_CHECK(std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i]) &&
                          a[i] == c[i],
                      "levels decode differently");
}

template <class Format>
void encode_blocks(const block_kernels& one, const block_kernels& other,
                   const std::vector<float>& values)
{
    const auto blocks = values.size() / Format::block;
    output a(blocks * Format::block * Format::bits / 8), b(a), a_scales(2 * blocks),
        b_scales(a_scales);
    const bool taken = one.encode(values.data(), blocks, a.data(), a_scales.data());
    PAPILIO_CHECK(taken == other.encode(values.data(), blocks, b.data(), b_scales.data()),
                  "levels disagree about what can be encoded");
    PAPILIO_CHECK(!taken || (a == b && a_scales == b_scales), "levels encode differently");
}

void read_halves(const half_kernels& one, const half_kernels& other, bytes input)
{
    const auto n = input.size() / 2;
    const output halves(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(2 * n));
    std::vector<float> a(n), b(n), c(n);
    const bool fine = one.decode(halves.data(), n, a.data());
    PAPILIO_CHECK(fine == other.decode(halves.data(), n, b.data()) &&
                      fine == other.accumulate(halves.data(), n, c.data()),
                  "levels disagree about what is plausible");
    PAPILIO_CHECK(!fine || n == 0 ||
                      (std::memcmp(a.data(), b.data(), n * sizeof(float)) == 0 && all_finite(a)),
                  "levels decode differently");
}

void encode_halves(const half_kernels& one, const half_kernels& other,
                   const std::vector<float>& values)
{
    output a(2 * values.size()), b(a);
    const bool finite = all_finite(values);
    PAPILIO_CHECK(finite == one.encode(values.data(), values.size(), a.data()) &&
                      finite == other.encode(values.data(), values.size(), b.data()),
                  "a level takes what is not finite, or refuses what is");
    PAPILIO_CHECK(!finite || a == b, "levels encode differently");
}

/// Of finite values, under whatever scale they begin with.
void classify(const uniform8_kernels& one, const uniform8_kernels& other,
              const std::vector<float>& values)
{
    if (values.size() < 2 + sum_lanes || !(values[1] > 0x1p-126f) || !all_finite(values)) return;
    const uniform8_scale by{values[0], values[1]};
    const auto n = std::min((values.size() - 2) / sum_lanes * sum_lanes, bucket_tile::size);
    moments a = {}, b = {};
    bucket_tile c = {}, d = {};
    one.add_moments(values.data() + 2, n, values[0], a);
    other.add_moments(values.data() + 2, n, values[0], b);
    one.classify(values.data() + 2, n, by, c);
    other.classify(values.data() + 2, n, by, d);
    PAPILIO_CHECK(std::memcmp(&a, &b, sizeof a) == 0, "levels find other moments");
    PAPILIO_CHECK(std::memcmp(&c, &d, sizeof c) == 0, "levels find other buckets");
}

void look_up(const uniform8_kernels& one, const uniform8_kernels& other, bytes input)
{
    float book[256];
    for (int i = 0; i < 256; ++i) book[i] = static_cast<float>(i * i);
    std::vector<float> a(input.size()), b(a);
    one.look_up(input.data(), input.size(), book, a.data());
    other.look_up(input.data(), input.size(), book, b.data());
    PAPILIO_CHECK(a == b, "levels look up other entries");
}

void compare(const kernel_table& one, const kernel_table& other, unsigned kind, bytes input)
{
    std::vector<float> values(input.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), input.data(), values.size() * sizeof(float));
    switch (kind) {
    case 0: read_blocks<int8b_format>(one.int8b, other.int8b, input); break;
    case 1: read_blocks<int4b_format<32>>(one.int4b_32, other.int4b_32, input); break;
    case 2: read_blocks<int4b_format<128>>(one.int4b_128, other.int4b_128, input); break;
    case 3:
        read_halves(one.as_f16, other.as_f16, input);
        read_halves(one.as_bf16, other.as_bf16, input);
        break;
    case 4:
        encode_halves(one.as_f16, other.as_f16, values);
        encode_halves(one.as_bf16, other.as_bf16, values);
        encode_blocks<int8b_format>(one.int8b, other.int8b, values);
        encode_blocks<int4b_format<32>>(one.int4b_32, other.int4b_32, values);
        encode_blocks<int4b_format<128>>(one.int4b_128, other.int4b_128, values);
        break;
    case 5: classify(one.uniform8, other.uniform8, values); break;
    case 6: look_up(one.uniform8, other.uniform8, input); break;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const auto input = std::as_bytes(std::span(data, size)).subspan(1);
    for (const auto level : {isa::neon, isa::avx2, isa::avx512})
        if (const auto* table = kernels_of(level)) compare(scalar_kernels, *table, data[0], input);
    return 0;
}
