#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/tiles.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

// What the operations share. Contributions are reduced tile by tile, so that a tile stays in the
// first-level cache while one contribution after another is added to it.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t tile_size = 512;

template <class T>
void check_contributions(std::span<const std::span<const T>> contributions, std::span<T> out)
{
    PAPILIO_CHECK(!contributions.empty(), "an operation needs at least one contribution");
    for (const auto contribution : contributions)
        PAPILIO_CHECK(contribution.size() == out.size(),
                      "all contributions must be as long as the result");
}

/// Reduces `contributions[k][begin + i]`, k = 0, 1, ..., into `reduced[i]` by `combine`, from the
/// left. Three contributions at a time spare most of the traffic between tile and registers; the
/// first pass takes one to three of them, so that what is left comes in threes.
template <class T, class Size, class Combine>
void reduce_tile(std::span<const std::span<const T>> contributions, std::size_t begin, Size size,
                 accumulator_t<T>* __restrict reduced, Combine combine)
{
    using sum_type = accumulator_t<T>;
    const auto from = [&](std::size_t k) { return contributions[k].data() + begin; };
    const auto wide = [](T x) { return static_cast<sum_type>(x); };
    const T* a = from(0);
    const auto beside = (contributions.size() - 1) % 3;
    if (beside == 0) {
        for (std::size_t i = 0; i < size; ++i) reduced[i] = wide(a[i]);
    } else if (beside == 1) {
        const T* b = from(1);
        for (std::size_t i = 0; i < size; ++i) reduced[i] = combine(wide(a[i]), wide(b[i]));
    } else {
        const T *b = from(1), *c = from(2);
        for (std::size_t i = 0; i < size; ++i)
            reduced[i] = combine(combine(wide(a[i]), wide(b[i])), wide(c[i]));
    }
    for (auto k = 1 + beside; k < contributions.size(); k += 3) {
        const T *b = from(k), *c = from(k + 1), *d = from(k + 2);
        for (std::size_t i = 0; i < size; ++i)
            reduced[i] = combine(combine(combine(reduced[i], wide(b[i])), wide(c[i])), wide(d[i]));
    }
}

/// Writes `finish(reduced[i])`, rounded to `T`, to `out[i]`.
template <class T, class Size, class Finish>
void finish_tile(const accumulator_t<T>* __restrict reduced, Size size, T* __restrict out,
                 Finish finish)
{
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<T>(finish(reduced[i]));
}

/// `out[i] = finish(contributions[0][i] combined with contributions[1][i], contributions[2][i],
/// ...)`.
template <class T, class Combine, class Finish>
void reduce_tiles(std::span<const std::span<const T>> contributions, std::span<T> out,
                  Combine combine, Finish finish)
{
    check_contributions(contributions, out);
    for_each_tile<tile_size>(out.size(), [&](std::size_t begin, auto size) {
        alignas(64) accumulator_t<T> reduced[tile_size];
        reduce_tile(contributions, begin, size, reduced, combine);
        finish_tile(reduced, size, out.data() + begin, finish);
    });
}

/// The unsigned type in which a `T` can be added and multiplied without overflow being undefined.
/// Narrow types are promoted by hand: the language would promote them to signed int.
template <integer_element T>
using wrapping_t =
    std::conditional_t<sizeof(T) < sizeof(unsigned), unsigned, std::make_unsigned_t<T>>;

struct add {
    template <class T>
    constexpr T operator()(T a, T b) const noexcept
    {
        if constexpr (integer_element<T>)
            return static_cast<T>(static_cast<wrapping_t<T>>(a) + static_cast<wrapping_t<T>>(b));
        else
            return a + b;
    }
};

struct keep {
    template <class T>
    constexpr T operator()(T value) const noexcept
    {
        return value;
    }
};

}  // namespace papilio::detail
