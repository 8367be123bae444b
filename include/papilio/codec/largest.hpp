#pragma once

#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>

// Finding the largest magnitudes of a chunk at the speed of a few passes over it.
namespace papilio::detail {

inline std::int32_t magnitude_bits(float value) noexcept
{
    return std::bit_cast<std::int32_t>(value) & 0x7fffffff;
}

/// The places of the `K` largest magnitudes among `Chunk` values. Ties go to the smaller index.
///
/// The values are dealt into groups, four times as many as are wanted. At least K values reach the
/// Kth largest of the groups' maxima, and seldom many more do: only groups whose maximum reaches it
/// need be looked at again. No input takes longer than sorting all values does.
template <std::size_t K, std::size_t Chunk>
class largest {
    static_assert(K > 0 && K <= Chunk && std::has_single_bit(Chunk) && Chunk <= 65536);

public:
    /// Writes the places of the `k` largest, in ascending order. `k` is at most `K`. Throws
    /// `errc::not_finite`.
    void find(const float* values, std::size_t k, std::uint16_t* places)
    {
        find_maxima(values);
        const auto peak = *std::max_element(maxima_, maxima_ + groups);
        if (peak >= float_infinity)
            throw std::system_error(errc::not_finite, "topk takes only finite numbers");
        gather(values, threshold(peak, static_cast<std::int32_t>(k)));
        if (found_ > k) std::nth_element(keys_, keys_ + k, keys_ + found_, std::greater<>{});
        sort(k, places);
    }

private:
    static constexpr std::size_t groups = std::min(std::bit_ceil(4 * K), Chunk);
    static constexpr std::size_t rows = Chunk / groups;

    void find_maxima(const float* values) noexcept
    {
        for (std::size_t g = 0; g < groups; ++g) maxima_[g] = magnitude_bits(values[g]);
        // The number of rows is a power of two. Two at a time spare half the traffic with maxima.
        if constexpr (rows > 1) {
            for (std::size_t row = 0; row < rows; row += 2) {
                const float* a = values + row * groups;
                const float* b = a + groups;
                for (std::size_t g = 0; g < groups; ++g)
                    maxima_[g] =
                        std::max(maxima_[g], std::max(magnitude_bits(a[g]), magnitude_bits(b[g])));
            }
        }
    }

    std::int32_t count_from(std::int32_t least) const noexcept
    {
        std::int32_t count = 0;
        for (std::size_t g = 0; g < groups; ++g) count += maxima_[g] >= least ? 1 : 0;
        return count;
    }

    /// A magnitude that at least `k` groups' maxima reach, and if it can be had not many more.
    std::int32_t threshold(std::int32_t peak, std::int32_t k) const noexcept
    {
        const auto enough = k + k / 8;
        std::int32_t low = 0, high = peak + 1;  // at least k reach `low`, fewer reach `high`
        for (std::int32_t width = 1 << 24; width < peak; width += width) {
            const auto count = count_from(peak - width);
            if (count >= k) {
                low = peak - width;
                if (count <= enough) return low;
                break;
            }
            high = peak - width;
            if (width > 1 << 29) break;
        }
        while (high - low > 1) {
            const auto middle = low + (high - low) / 2;
            const auto count = count_from(middle);
            (count >= k ? low : high) = middle;
            if (count >= k && count <= enough) break;
        }
        return low;
    }

    /// Notes every value that reaches `least`: its magnitude, and below that its place, so that of
    /// equals the first counts as the largest.
    void gather(const float* values, std::int32_t least) noexcept
    {
        std::size_t near = 0;
        std::uint16_t candidates[groups];
        for (std::size_t g = 0; g < groups; ++g) {
            candidates[near] = static_cast<std::uint16_t>(g);
            near += maxima_[g] >= least ? 1 : 0;
        }
        found_ = 0;
        for (std::size_t c = 0; c < near; ++c) {
            for (std::size_t row = 0; row < rows; ++row) {
                const auto place = row * groups + candidates[c];
                const auto magnitude = magnitude_bits(values[place]);
                keys_[found_] = static_cast<std::uint64_t>(magnitude) << 32 | (Chunk - place);
                found_ += magnitude >= least ? 1 : 0;
            }
        }
    }

    /// By a set with a bit for each place.
    void sort(std::size_t k, std::uint16_t* places) const noexcept
    {
        std::uint64_t set[(Chunk + 63) / 64] = {};
        for (std::size_t i = 0; i < k; ++i) {
            const auto place = Chunk - (keys_[i] & 0xffffffff);
            set[place / 64] |= std::uint64_t{1} << place % 64;
        }
        for (std::size_t word = 0; word < std::size(set); ++word)
            for (auto bits = set[word]; bits != 0; bits &= bits - 1)
                *places++ = static_cast<std::uint16_t>(
                    word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
    }

    std::int32_t maxima_[groups];
    std::uint64_t keys_[Chunk + 1];  // one more is written than is kept
    std::size_t found_ = 0;
};

}  // namespace papilio::detail
