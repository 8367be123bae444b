#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/tiles.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

// What the operations share. Versions are folded tile by tile, so that a tile stays in the
// first-level cache while one version after another is added to it.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t tile_size = 512;

template <class T>
void check_versions(std::span<const std::span<const T>> versions, std::span<T> out)
{
    PAPILIO_CHECK(!versions.empty(), "an operation needs at least one version");
    for (const auto version : versions)
        PAPILIO_CHECK(version.size() == out.size(), "all versions must be as long as the result");
}

/// Folds `versions[k][begin + i]`, k = 0, 1, ..., into `folded[i]` by `combine`, from the left.
/// Three versions at a time spare most of the traffic between tile and registers; the first pass
/// takes one to three of them, so that what is left comes in threes.
template <class T, class Size, class Combine>
void fold_tile(std::span<const std::span<const T>> versions, std::size_t begin, Size size,
               accumulator_t<T>* __restrict folded, Combine combine)
{
    using sum_type = accumulator_t<T>;
    const auto from = [&](std::size_t k) { return versions[k].data() + begin; };
    const auto wide = [](T x) { return static_cast<sum_type>(x); };
    const T* a = from(0);
    const auto beside = (versions.size() - 1) % 3;
    if (beside == 0) {
        for (std::size_t i = 0; i < size; ++i) folded[i] = wide(a[i]);
    } else if (beside == 1) {
        const T* b = from(1);
        for (std::size_t i = 0; i < size; ++i) folded[i] = combine(wide(a[i]), wide(b[i]));
    } else {
        const T *b = from(1), *c = from(2);
        for (std::size_t i = 0; i < size; ++i)
            folded[i] = combine(combine(wide(a[i]), wide(b[i])), wide(c[i]));
    }
    for (auto k = 1 + beside; k < versions.size(); k += 3) {
        const T *b = from(k), *c = from(k + 1), *d = from(k + 2);
        for (std::size_t i = 0; i < size; ++i)
            folded[i] = combine(combine(combine(folded[i], wide(b[i])), wide(c[i])), wide(d[i]));
    }
}

/// Writes `finish(folded[i])`, rounded to `T`, to `out[i]`.
template <class T, class Size, class Finish>
void finish_tile(const accumulator_t<T>* __restrict folded, Size size, T* __restrict out,
                 Finish finish)
{
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<T>(finish(folded[i]));
}

/// `out[i] = finish(versions[0][i] combined with versions[1][i], versions[2][i], ...)`.
template <class T, class Combine, class Finish>
void fold(std::span<const std::span<const T>> versions, std::span<T> out, Combine combine,
          Finish finish)
{
    check_versions(versions, out);
    for_each_tile<tile_size>(out.size(), [&](std::size_t begin, auto size) {
        alignas(64) accumulator_t<T> folded[tile_size];
        fold_tile(versions, begin, size, folded, combine);
        finish_tile(folded, size, out.data() + begin, finish);
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

}  // namespace papilio::inline PAPILIO_MODE::detail
