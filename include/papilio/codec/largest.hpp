#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/finite.hpp>
#include <papilio/codec/scale.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <system_error>

// Finding the largest magnitudes of a chunk at the speed of a few passes over it.
namespace papilio::inline PAPILIO_MODE::detail {

/// The places of the `K` largest magnitudes among `Chunk` values. Ties go to the smaller index.
///
/// The values are dealt into groups, eight times as many as are wanted. At least K values reach the
/// Kth largest of the groups' maxima, and seldom many more do: only groups whose maximum reaches it
/// need be looked at again. Whatever the values, that takes some thirty passes over them at most.
template <std::size_t K, std::size_t Chunk>
class largest {
    static_assert(K > 0 && K <= Chunk && std::has_single_bit(Chunk) && Chunk <= 65536);

public:
    /// Writes the places of the `k` largest, in ascending order. `k` is at most `K`. Throws
    /// `errc::not_finite`.
    void find(const float* values, std::size_t k, std::uint16_t* places)
    {
        find_maxima(values);
        const auto peak = largest_maximum();
        if (peak >= float_infinity)
            throw std::system_error(errc::not_finite, "topk takes only finite numbers");
        const auto wanted = static_cast<std::int32_t>(k);
        const auto least = threshold(peak, wanted);
        gather(values, least);
        choose(least, peak, wanted, places);
    }

private:
    static constexpr std::size_t groups = std::min(std::bit_ceil(8 * K), Chunk);
    static constexpr std::size_t rows = Chunk / groups;

    void find_maxima(const float* values) noexcept
    {
        for (std::size_t g = 0; g < groups; ++g) maxima_[g] = magnitude_of(values[g]);
        // The number of rows is a power of two. Two at a time spare half the traffic with maxima.
        if constexpr (rows > 1) {
            for (std::size_t row = 0; row < rows; row += 2) {
                const float* a = values + row * groups;
                const float* b = a + groups;
                for (std::size_t g = 0; g < groups; ++g)
                    maxima_[g] =
                        std::max(maxima_[g], std::max(magnitude_of(a[g]), magnitude_of(b[g])));
            }
        }
    }

    std::int32_t count_from(std::int32_t least) const noexcept
    {
        std::int32_t count = 0;
        for (std::size_t g = 0; g < groups; ++g) count += maxima_[g] >= least ? 1 : 0;
        return count;
    }

    std::int32_t largest_maximum() const noexcept
    {
        std::int32_t maxima[groups];
        std::copy_n(maxima_, groups, maxima);
        return largest_of<groups>(maxima);
    }

    /// A magnitude that at least `k` groups' maxima reach, and if it can be had not many more.
    /// Chunks are much alike: the search begins where the last one ended, and widens from there
    /// until it has bounds to halve.
    std::int32_t threshold(std::int32_t peak, std::int32_t k) noexcept
    {
        std::int32_t low = 0, high = peak + 1;  // at least k reach `low`, fewer reach `high`
        std::int32_t at = std::min(last_, peak), step = 1 << 18;
        while (high - low > 1) {
            const auto count = count_from(at);
            (count >= k ? low : high) = at;
            if (count >= k && count <= k + k / 8) break;
            at = low + (high - low) / 2;
            if (low == 0 && high > step) at = high - step;
            if (high > peak && high - low > step) at = low + step;
            step = std::min(2 * step, 1 << 29);
        }
        last_ = low;
        return low;
    }

    /// Notes every value that reaches `least`, in the order of places.
    void gather(const float* values, std::int32_t least) noexcept
    {
        std::size_t candidate_count = 0;
        std::uint16_t candidates[groups];
        for (std::size_t g = 0; g < groups; ++g) {
            candidates[candidate_count] = static_cast<std::uint16_t>(g);
            candidate_count += maxima_[g] >= least ? 1 : 0;
        }
        std::size_t found = 0;
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t c = 0; c < candidate_count; ++c) {
                const auto place = row * groups + candidates[c];
                const auto magnitude = magnitude_of(values[place]);
                magnitudes_[found] = magnitude;
                places_[found] = static_cast<std::uint16_t>(place);
                found += magnitude >= least ? 1 : 0;
            }
        }
        found_ = found;
        std::fill_n(magnitudes_ + found, tile, -1);
    }

    std::int32_t count_found(std::int32_t least) const noexcept
    {
        std::int32_t count = 0;
        for (std::size_t begin = 0; begin < found_; begin += tile)
            for (std::size_t i = 0; i < tile; ++i) count += magnitudes_[begin + i] >= least ? 1 : 0;
        return count;
    }

    /// Of what was found, at least `k` that reach `low`, keeps the `k` largest. Takes no branch
    /// that depends on a single value: processors guess wrong too often.
    void choose(std::int32_t low, std::int32_t peak, std::int32_t k, std::uint16_t* places) const
    {
        for (std::int32_t high = peak + 1; high - low > 1;) {
            const auto middle = low + (high - low) / 2;
            const auto count = count_found(middle);
            (count >= k ? low : high) = middle;
            if (count == k) break;
        }
        auto ties = k - count_found(low + 1);  // the first so many that are exactly `low`
        std::size_t chosen = 0;
        std::uint16_t all[K + 1];  // one more is written than is kept
        for (std::size_t i = 0; i < found_; ++i) {
            const auto above = magnitudes_[i] > low ? 1 : 0;
            const auto tie = (magnitudes_[i] == low ? 1 : 0) & (ties > 0 ? 1 : 0);
            all[chosen] = places_[i];
            chosen += static_cast<std::size_t>(above | tie);
            ties -= tie;
        }
        std::copy_n(all, k, places);
    }

    static constexpr std::size_t tile = 16;

    std::int32_t maxima_[groups];
    std::int32_t magnitudes_[Chunk + tile];
    std::uint16_t places_[Chunk + 1];  // one more is written than is kept
    std::size_t found_ = 0;
    std::int32_t last_ = float_infinity;  // threshold
};

}  // namespace papilio::detail
