#pragma once

#include <papilio/base/float16.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/kernels/base.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

// Inputs that kernels get wrong, and what two levels make of them, side by side.
namespace papilio::kernels_testing {

using namespace papilio::detail;

using floats = std::vector<float>;
using encoded_bytes = std::vector<std::byte>;

inline constexpr auto infinity = std::numeric_limits<float>::infinity();

inline float from_bits(std::uint64_t bits)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

/// A run of `n` numbers of one of many kinds, those that kernels get wrong among them.
inline floats some_input(papilio::random& numbers, std::size_t n)
{
    floats values(n);
    const auto kind = numbers.below(16);
    const auto spread =
        static_cast<float>(std::ldexp(1, static_cast<int>(numbers.below(240)) - 120));
    const auto constant = from_bits(numbers());
    for (auto& x : values) {
        const auto normal = static_cast<float>(numbers.normal());
        switch (kind) {
        case 0: x = normal; break;
        case 1: x = normal * spread; break;
        case 2: x = bf16(normal * spread); break;  // products without a remainder
        case 3: x = f16(normal); break;
        case 4: x = from_bits(numbers()); break;               // NaN and infinities among them
        case 5: x = from_bits(numbers() & 0x807fffff); break;  // subnormal
        case 6: x = 0 * normal; break;
        case 7: x = std::isfinite(constant) ? constant : 1; break;
        case 8: x = from_bits(0x7f7f0000 | (numbers() & 0x8000ffff)); break;   // the very largest
        case 9: x = static_cast<float>(numbers.below(15)) / 2 - 3.5f; break;   // ties
        case 10: x = from_bits((numbers() & 0x80ffffff) | 0x0d000000); break;  // about 2^-100
        case 11:
            x = from_bits((numbers() & 0x80ffffff) | 0x47000000);
            break;  // about f16's largest
        case 12: x = numbers.below(100) == 0 ? normal * spread : 0 * normal; break;
        case 13:  // codes of small floats, and what lies halfway between two
            x = std::ldexp(static_cast<float>(numbers.below(64)) - 32,
                           static_cast<int>(numbers.below(24)) - 16);
            break;
        case 14: x = from_bits((numbers() & 0x80ffffff) | 0x7e000000); break;  // large scales
        case 15: x = normal * (1 + static_cast<float>(numbers.below(1000)) * spread); break;
        }
    }
    if (n > 0 && kind == 13) values[numbers.below(n)] = numbers.below(2) == 0 ? 448 : 57344;
    if (n > 0 && numbers.below(4) == 0)  // one outlier
        values[numbers.below(n)] = from_bits(numbers() & 0xff7fffff);
    if (n > 0 && kind != 4 && numbers.below(16) == 0) {
        const float bad[] = {infinity, -infinity, NAN, -NAN, from_bits(0x7f800001)};
        values[numbers.below(n)] = bad[numbers.below(5)];
    }
    return values;
}

/// Memory that ends where the last element does, so that a sanitizer sees a step beyond, and may
/// begin off any boundary.
class placed {
public:
    placed(std::size_t size, std::size_t offset) : all_(offset + size, filler), offset_(offset) {}
    placed(const void* from, std::size_t size, std::size_t offset) : placed(size, offset)
    {
        if (size > 0) std::memcpy(data(), from, size);
    }
    std::byte* data() { return all_.data() + offset_; }
    template <class T>
    T* as()
    {
        return reinterpret_cast<T*>(data());
    }
    bool operator==(const placed& other) const
    {
        return std::equal(all_.begin() + static_cast<std::ptrdiff_t>(offset_), all_.end(),
                          other.all_.begin() + static_cast<std::ptrdiff_t>(other.offset_),
                          other.all_.end());
    }

private:
    static constexpr std::byte filler{0x5a};
    encoded_bytes all_;
    std::size_t offset_;
};

/// What a level makes of some input. Sums are finite at first, so that no sum is of two NaN.
struct outcome {
    bool taken = true;
    placed encoded;
    placed scales;
    bool plausible = true;
    placed decoded;
    placed sums;
    bool added = true;
};

inline void read(const block_kernels& kernels, std::size_t blocks, std::size_t size, outcome& made,
                 const floats& sums)
{
    made.decoded = placed(size, 0);
    made.sums = placed(sums.data(), size, 4);
    made.plausible =
        kernels.decode(made.encoded.data(), made.scales.data(), blocks, made.decoded.as<float>());
    made.added =
        kernels.accumulate(made.encoded.data(), made.scales.data(), blocks, made.sums.as<float>());
}

inline void compare_read(const block_kernels& one, const block_kernels& other, std::size_t blocks,
                         std::size_t size, outcome& a, outcome& b, const floats& sums)
{
    read(one, blocks, size, a, sums);
    read(other, blocks, size, b, sums);
    REQUIRE(a.plausible == b.plausible);
    REQUIRE(a.added == a.plausible);
    REQUIRE(b.added == b.plausible);
    if (!a.plausible) return;
    REQUIRE(a.decoded == b.decoded);
    REQUIRE(a.sums == b.sums);
}

template <class Format>
void compare_blocks(const block_kernels& one, const block_kernels& other, const floats& values,
                    const floats& sums, std::size_t offset, papilio::random& numbers)
{
    const auto blocks = values.size() / Format::block;
    const auto code_bytes = blocks * Format::block * Format::bits / 8;
    const auto made = [&](std::size_t at) {
        return outcome{true, {code_bytes, at}, {2 * blocks, at}, true, {0, 0}, {0, 0}, true};
    };
    auto a = made(0), b = made(offset);
    a.taken = one.encode(values.data(), blocks, a.encoded.data(), a.scales.data());
    b.taken = other.encode(values.data(), blocks, b.encoded.data(), b.scales.data());
    REQUIRE(a.taken == b.taken);
    if (!a.taken || blocks == 0) return;
    REQUIRE(a.encoded == b.encoded);
    REQUIRE(a.scales == b.scales);
    const auto size = blocks * Format::block * sizeof(float);
    compare_read(one, other, blocks, size, a, b, sums);

    // Damaged, some of it beyond what anybody could have written.
    for (int damage = 0; damage < 3; ++damage) {
        const auto code = numbers.below(code_bytes), scale = numbers.below(2 * blocks);
        const auto byte = static_cast<std::byte>(numbers());
        if (damage != 1) a.encoded.data()[code] = b.encoded.data()[code] = byte;
        if (damage != 0) a.scales.data()[scale] = b.scales.data()[scale] = byte;
        compare_read(one, other, blocks, size, a, b, sums);
    }
}

/// 2000 under tests/run --all; each stands for 50,000 values.
inline std::uint64_t seeds()
{
    const char* wanted = std::getenv("PAPILIO_SEEDS");
    return wanted == nullptr ? 20 : std::strtoull(wanted, nullptr, 10);
}

}  // namespace papilio::kernels_testing
