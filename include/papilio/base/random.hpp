#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

namespace papilio::inline PAPILIO_MODE {

/// One number that depends on all of `values` and on their order: a seed for each of many streams,
/// or a choice that every peer makes alike. Spreads well; it is not cryptographic.
constexpr std::uint64_t hash(std::convertible_to<std::uint64_t> auto... values) noexcept;

/// A stream of random numbers fixed by its seed, the same on every platform: xoshiro256** of
/// D. Blackman and S. Vigna. Serves the standard library as a uniform random bit generator; its
/// distributions and `std::shuffle`, however, differ between standard libraries. Not cryptographic.
class random {
public:
    using result_type = std::uint64_t;

    explicit constexpr random(std::uint64_t seed) noexcept;

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    /// The next 64 random bits.
    constexpr result_type operator()() noexcept;

    /// Uniform among 0, ..., n - 1, where n > 0.
    constexpr std::uint64_t below(std::uint64_t n) noexcept;

    /// Uniform in [0, 1), a multiple of 2^-53.
    constexpr double uniform() noexcept;

    /// Nearly normal, mean 0 and variance 1: the sum of twelve uniform numbers less six. No
    /// platform rounds it differently, as it does without logarithms; it never leaves [-6, 6].
    constexpr double normal() noexcept;

private:
    std::array<std::uint64_t, 4> state_;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE {

namespace detail {
/// The finaliser of splitmix64: every bit of the result depends on every bit of `x`.
constexpr std::uint64_t scramble(std::uint64_t x) noexcept
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

inline constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;
}  // namespace detail

constexpr std::uint64_t hash(std::convertible_to<std::uint64_t> auto... values) noexcept
{
    std::uint64_t result = sizeof...(values);
    ((result =
          detail::scramble((result ^ static_cast<std::uint64_t>(values)) + detail::golden_ratio)),
     ...);
    return result;
}

constexpr random::random(std::uint64_t seed) noexcept : state_{}
{
    for (auto& word : state_) word = detail::scramble(seed += detail::golden_ratio);
}

constexpr auto random::operator()() noexcept -> result_type
{
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

constexpr std::uint64_t random::below(std::uint64_t n) noexcept
{
    PAPILIO_CHECK(n > 0, "no number is below zero");
    // 2^64 mod n of the smallest draws are thrown away, so that each remainder is equally likely.
    const auto surplus = (0 - n) % n;
    auto draw = (*this)();
    while (draw < surplus) draw = (*this)();
    return draw % n;
}

constexpr double random::uniform() noexcept
{
    return static_cast<double>((*this)() >> 11) * 0x1p-53;
}

constexpr double random::normal() noexcept
{
    std::int64_t sum = -6 * (std::int64_t{1} << 24);
    for (int i = 0; i < 6; ++i) {
        const auto draw = (*this)();
        sum += static_cast<std::int64_t>(draw >> 40) + static_cast<std::int64_t>(draw & 0xffffff);
    }
    return static_cast<double>(sum) * 0x1p-24;
}

}  // namespace papilio
