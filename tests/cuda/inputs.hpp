#pragma once

#include <papilio/base/float16.hpp>
#include <papilio/base/random.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

// What kernels are given to prove that they make the same of it as the codecs do.
namespace papilio::cuda_testing {

enum class input {
    normal,
    spread,
    of_bf16,
    of_f16,
    ties,
    subnormal,
    zeros,
    constant,
    one_outlier,
    very_large,
    barely_scaled,
    any_bits,
    one_nan,
    one_infinity,
};

inline constexpr input inputs[] = {
    input::normal,        input::spread,   input::of_bf16,  input::of_f16,      input::ties,
    input::subnormal,     input::zeros,    input::constant, input::one_outlier, input::very_large,
    input::barely_scaled, input::any_bits, input::one_nan,  input::one_infinity};

inline float from_bits(std::uint64_t bits)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

inline float one_of(input kind, papilio::random& numbers)
{
    const auto normal = static_cast<float>(numbers.normal());
    switch (kind) {
    case input::spread: return std::ldexp(normal, static_cast<int>(numbers.below(40)) - 20);
    case input::of_bf16: return bf16(normal);  // products without a remainder
    case input::of_f16: return f16(normal);
    case input::ties: return static_cast<float>(numbers.below(15)) / 2 - 3.5f;
    case input::subnormal: return from_bits(numbers() & 0x807fffff);
    case input::zeros: return 0 * normal;  // of both signs
    case input::constant: return 0.7f;
    case input::one_outlier: return normal * 1e-3f;
    case input::very_large: return from_bits(0x7f7f0000 | (numbers() & 0x8000ffff));
    case input::barely_scaled: return from_bits((numbers() & 0x80ffffff) | 0x0d000000);
    case input::any_bits: return from_bits(numbers());
    default: return normal;
    }
}

inline std::vector<float> some_input(input kind, std::size_t n, std::uint64_t seed)
{
    papilio::random numbers(seed);
    std::vector<float> values(n);
    for (auto& x : values) x = one_of(kind, numbers);
    if (n == 0) return values;
    auto& one = values[numbers.below(n)];
    if (kind == input::one_outlier) one = -7.5e4f;
    if (kind == input::one_nan) one = NAN;
    if (kind == input::one_infinity) one = -INFINITY;
    return values;
}

/// The sizes at which tiles, stripes and blocks begin and end.
inline constexpr std::size_t sizes[] = {0,    1,    2,    3,    31,   32,   33,  63,  65,
                                        127,  128,  129,  159,  255,  257,  511, 512, 513,
                                        1000, 1024, 1537, 2049, 4096, 4097, 9000};

}  // namespace papilio::cuda_testing
