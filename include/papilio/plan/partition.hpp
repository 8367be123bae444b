#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// A contiguous range of elements: what one peer owns, or a piece of that.
struct part {
    std::size_t begin;
    std::size_t size;

    constexpr std::size_t end() const noexcept { return begin + size; }
    friend constexpr bool operator==(const part&, const part&) = default;
};

/// Cuts `count` elements into `parts` nearly equal parts; the first ones take the remainder.
/// Throws `errc::bad_argument` when there are no parts.
std::vector<part> partition(std::size_t count, std::size_t parts);

/// Cuts `count` elements into one part per share, in order, by largest remainder: each part gets
/// its exact quota rounded down or up, and the sizes add up to `count`. Equal remainders favour the
/// lower index, and every machine finds the same cut. A zero share gives an empty part, and so may
/// a share that is tiny beside the others. Only the ratios of shares matter; throws
/// `errc::bad_argument` unless all are finite, none is negative and one is positive.
std::vector<part> partition(std::size_t count, std::span<const double> shares);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The shares as integers in the same ratios, whose sum stays below 2^63. Scaling by a power of two
/// is exact, so that every machine finds the same integers; what is cut off after the point is, for
/// up to 1023 shares, at most 2^-52 of the largest.
inline std::vector<std::uint64_t> integer_shares(std::span<const double> shares)
{
    double largest = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (!(shares[i] >= 0) || !std::isfinite(shares[i]))
            throw bad_value("the share of peer " + std::to_string(i), "at least 0, and finite",
                            shares[i]);
        largest = std::max(largest, shares[i]);
    }
    if (!(largest > 0)) throw bad_value("the largest share", "above 0", largest);

    int exponent = 0;
    std::frexp(largest, &exponent);
    const int shift = 63 - static_cast<int>(std::bit_width(shares.size())) - exponent;
    std::vector<std::uint64_t> result;
    result.reserve(shares.size());
    for (const double share : shares)
        result.push_back(static_cast<std::uint64_t>(std::ldexp(share, shift)));
    return result;
}

inline std::vector<part> consecutive(std::span<const std::size_t> sizes)
{
    std::vector<part> result;
    result.reserve(sizes.size());
    std::size_t begin = 0;
    for (const auto size : sizes) {
        result.push_back({begin, size});
        begin += size;
    }
    return result;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline std::vector<part> partition(std::size_t count, std::size_t parts)
{
    if (parts == 0) throw detail::bad_value("the number of parts", "at least 1", parts);
    std::vector<std::size_t> sizes(parts, count / parts);
    for (std::size_t i = 0; i < count % parts; ++i) ++sizes[i];
    return detail::consecutive(sizes);
}

inline std::vector<part> partition(std::size_t count, std::span<const double> shares)
{
    __extension__ using wide = unsigned __int128;
    const auto weights = detail::integer_shares(shares);
    const auto differ = [](std::uint64_t a, std::uint64_t b) { return a != b; };
    if (std::ranges::adjacent_find(weights, differ) == weights.end())
        return partition(count, weights.size());
    const auto total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});

    std::vector<std::size_t> sizes;
    std::vector<std::uint64_t> remainders;
    sizes.reserve(weights.size());
    remainders.reserve(weights.size());
    auto left = count;
    for (const auto weight : weights) {
        const auto quota = wide{count} * weight;
        sizes.push_back(static_cast<std::size_t>(quota / total));
        remainders.push_back(static_cast<std::uint64_t>(quota % total));
        left -= sizes.back();
    }

    // The remainders add up to `left` times the total and each is less than the total, so more than
    // `left` of them are positive: no zero share is ever rounded up.
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t i, std::size_t k) {
        return remainders[i] != remainders[k] ? remainders[i] > remainders[k] : i < k;
    });
    for (std::size_t i = 0; i < left; ++i) ++sizes[order[i]];
    return detail::consecutive(sizes);
}

}  // namespace papilio
