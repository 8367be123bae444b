#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>
#include <papilio/codec/hivemind/codebook.hpp>
#include <papilio/codec/hivemind/spread.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace papilio::inline PAPILIO_MODE::hivemind::detail {

/// How often each code occurs, and how far its elements are from it, all together. Four tables that
/// take turns keep runs of one code from waiting for their sum; they are emptied before a count
/// outgrows its 16 bits.
class uniform8_buckets {
public:
    void add(const bucket_tile& tile, std::size_t size)
    {
        std::size_t i = 0;
        for (; i + turns <= size; i += turns)
            for (std::size_t k = 0; k < turns; ++k)
                words_[k][tile.codes[i + k]] += tile.words[i + k];
        for (; i < size; ++i) words_[0][tile.codes[i]] += tile.words[i];
        waiting_ += bucket_tile::size;
        if (waiting_ > turns * 32'767 - bucket_tile::size) empty();
    }

    void empty()
    {
        for (auto& table : words_) {
            for (std::size_t code = 0; code < codebook_size; ++code) {
                // The sum, of either sign, is less than half of what counts one.
                const auto count = (table[code] + bucket_tile::once / 2) >> 48;
                counts_[code] += count;
                sums_[code] += table[code] - count * bucket_tile::once;
                table[code] = 0;
            }
        }
        waiting_ = 0;
    }

    double count(std::size_t code) const { return static_cast<double>(counts_[code]); }

    /// How far the elements with this code are from it, on average, in steps.
    double off(std::size_t code) const
    {
        constexpr double fraction = bucket_tile::fraction;
        return static_cast<double>(sums_[code]) / (count(code) * fraction);
    }

private:
    static constexpr std::size_t turns = 4;
    std::int64_t words_[turns][codebook_size] = {};
    std::int64_t counts_[codebook_size] = {};
    std::int64_t sums_[codebook_size] = {};
    std::size_t waiting_ = 0;
};

struct uniform8_coder {
    static constexpr const char* name = "uniform8";

    static void encode(std::span<const float> values, std::uint8_t* codes, float* codebook)
    {
        if (values.empty()) return;
        const spread around(values);
        if (!around.finite) refuse_to_encode(name);
        const auto mean = static_cast<float>(around.mean);
        const auto variance = around.squares / (static_cast<double>(values.size()) - 1);
        const auto step = static_cast<float>(6 * std::sqrt(variance) / 256);
        if (!(step >= std::numeric_limits<float>::min())) {  // all are alike, or there is but one
            std::fill_n(codes, values.size(), std::uint8_t{128});
            codebook[128] = mean;
        } else {
            classify(values, {mean, 1 / step}, codes, codebook);
        }
    }

private:
    static void classify(std::span<const float> values, papilio::detail::uniform8_scale by,
                         std::uint8_t* codes, float* codebook)
    {
        const auto& kernel = papilio::detail::kernels().uniform8;
        bucket_tile tile;
        std::fill_n(tile.low, sum_lanes, 0.0);
        std::fill_n(tile.high, sum_lanes, 0.0);
        uniform8_buckets buckets;
        for_each_run(values, by.mean, [&](const float* from, std::size_t begin, std::size_t size) {
            kernel.classify(from, whole_lanes(size), by, tile);
            std::memcpy(codes + begin, tile.codes, size);
            buckets.add(tile, size);
        });
        buckets.empty();
        for (std::size_t code = 0; code < codebook_size; ++code) {
            if (buckets.count(code) == 0) continue;
            double steps[1] = {(static_cast<double>(code) - 128 + buckets.off(code)) /
                               static_cast<double>(by.inverse)};
            papilio::detail::round_now(steps);
            double found = static_cast<double>(by.mean) + steps[0];
            if (code == 0) found = total(tile.low) / buckets.count(code);
            if (code == 255) found = total(tile.high) / buckets.count(code);
            constexpr double most = std::numeric_limits<float>::max();
            codebook[code] = static_cast<float>(std::clamp(found, -most, most));
        }
    }
};

}  // namespace papilio::hivemind::detail

namespace papilio::inline PAPILIO_MODE::hivemind {

/// hivemind's UNIFORM_8BIT: 256 steps of equal width from three standard deviations below the mean
/// to three above, and a codebook of what was found in each: 8 bits per element and 1032 bytes.
/// What lies beyond shares the outermost steps, so numbers with heavy tails lose much: 2.4e-4 of
/// the squares of normal numbers, a tenth of Student's t with three degrees.
///
/// A run cannot be cut, and its encoding depends on the order of sums: other writers' bytes may
/// differ in the last place, yet decode exactly. `encode` throws `errc::not_finite` for a NaN, an
/// infinity, or a double beyond float's range. What `decode` accepts is finite.
struct uniform8 : detail::codebook_codec<detail::uniform8_coder> {
    static constexpr codec_id id = codec_id::hivemind_uniform8;
};

}  // namespace papilio::hivemind
