#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/encoded_size.hpp>
#include <papilio/codec/hivemind/base.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::hivemind {

/// hivemind's BLOCKWISE_8BIT: 256 levels whose distances grow with their size, times the largest
/// magnitude of each 4096 elements. The levels travel with each run, after T. Dettmers et al.,
/// "8-bit optimizers via block-wise quantization" (2021): 8.01 bits per element and 1040 bytes, for
/// a squared error of 1.7e-4 of the squares of normal numbers.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct blockwise8 {
    static constexpr codec_id id = codec_id::hivemind_blockwise8;
    static constexpr std::size_t granule = 4096;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return 2 * sizeof(std::int64_t) + (blocks(n) + 256) * sizeof(float) + n;
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const;

    template <element V>
    void decode(bytes encoded, std::span<V> out) const;

private:
    static constexpr std::size_t blocks(std::size_t n) noexcept
    {
        return n / granule + (n % granule != 0 ? 1 : 0);
    }
};

}  // namespace papilio::hivemind

namespace papilio::inline PAPILIO_MODE::hivemind::detail {

/// bitsandbytes' dynamic tree, above zero and below one: for i = 0, ..., 6 the means of neighbours
/// among 2^i + 1 evenly spaced numbers from 0.1 to 1, times 10^(i - 6).
// clang-format off
inline constexpr float dynamic_tree[127] = {
    0x1.27476cp-21f, 0x1.b43526p-19f, 0x1.040bfep-17f, 0x1.64840ep-16f, 0x1.6f0068p-15f,
    0x1.15df66p-14f, 0x1.743e96p-14f, 0x1.47ae14p-13f, 0x1.19ce08p-12f, 0x1.8fc504p-12f,
    0x1.02dep-11f, 0x1.3dd98p-11f, 0x1.78d4fep-11f, 0x1.b3d07cp-11f, 0x1.eecbfcp-11f,
    0x1.4fdf3cp-10f, 0x1.e353f8p-10f, 0x1.3b645ap-9f, 0x1.851eb8p-9f, 0x1.ced916p-9f,
    0x1.0c49bap-8f, 0x1.3126eap-8f, 0x1.560418p-8f, 0x1.7ae148p-8f, 0x1.9fbe76p-8f, 0x1.c49ba6p-8f,
    0x1.e978d4p-8f, 0x1.072b02p-7f, 0x1.19999ap-7f, 0x1.2c0832p-7f, 0x1.3e76c8p-7f, 0x1.75c29p-7f,
    0x1.d1eb86p-7f, 0x1.170a3ep-6f, 0x1.451eb8p-6f, 0x1.733334p-6f, 0x1.a147aep-6f, 0x1.cf5c28p-6f,
    0x1.fd70a4p-6f, 0x1.15c29p-5f, 0x1.2cccccp-5f, 0x1.43d70ap-5f, 0x1.5ae148p-5f, 0x1.71eb86p-5f,
    0x1.88f5c2p-5f, 0x1.ap-5f, 0x1.b70a3ep-5f, 0x1.ce147ap-5f, 0x1.e51eb8p-5f, 0x1.fc28f6p-5f,
    0x1.09999ap-4f, 0x1.151eb8p-4f, 0x1.20a3d8p-4f, 0x1.2c28f6p-4f, 0x1.37ae14p-4f, 0x1.433334p-4f,
    0x1.4eb852p-4f, 0x1.5a3d7p-4f, 0x1.65c29p-4f, 0x1.7147aep-4f, 0x1.7cccccp-4f, 0x1.8851ecp-4f,
    0x1.93d70ap-4f, 0x1.b66666p-4f, 0x1.fp-4f, 0x1.14ccccp-3f, 0x1.31999ap-3f, 0x1.4e6666p-3f,
    0x1.6b3334p-3f, 0x1.88p-3f, 0x1.a4ccccp-3f, 0x1.c1999ap-3f, 0x1.de6666p-3f, 0x1.fb3334p-3f,
    0x1.0cp-2f, 0x1.1a6666p-2f, 0x1.28ccccp-2f, 0x1.373334p-2f, 0x1.45999ap-2f, 0x1.54p-2f,
    0x1.626666p-2f, 0x1.70ccccp-2f, 0x1.7f3334p-2f, 0x1.8d999ap-2f, 0x1.9cp-2f, 0x1.aa6666p-2f,
    0x1.b8ccccp-2f, 0x1.c73334p-2f, 0x1.d5999ap-2f, 0x1.e4p-2f, 0x1.f26666p-2f, 0x1.006666p-1f,
    0x1.07999ap-1f, 0x1.0eccccp-1f, 0x1.16p-1f, 0x1.1d3334p-1f, 0x1.246666p-1f, 0x1.2b999ap-1f,
    0x1.32ccccp-1f, 0x1.3ap-1f, 0x1.413334p-1f, 0x1.486666p-1f, 0x1.4f999ap-1f, 0x1.56ccccp-1f,
    0x1.5ep-1f, 0x1.653334p-1f, 0x1.6c6666p-1f, 0x1.73999ap-1f, 0x1.7accccp-1f, 0x1.82p-1f,
    0x1.893334p-1f, 0x1.906666p-1f, 0x1.97999ap-1f, 0x1.9eccccp-1f, 0x1.a6p-1f, 0x1.ad3334p-1f,
    0x1.b46666p-1f, 0x1.bb999ap-1f, 0x1.c2ccccp-1f, 0x1.cap-1f, 0x1.d13334p-1f, 0x1.d86666p-1f,
    0x1.df999ap-1f, 0x1.e6ccccp-1f, 0x1.eep-1f, 0x1.f53334p-1f, 0x1.fc6666p-1f,
};
// clang-format on

/// All 256: the negatives of those, zero, those, and 1.
struct dynamic_levels {
    float levels[256];
    float middles[255];  // between neighbours; a value that exceeds one belongs above it

    constexpr dynamic_levels() noexcept : levels{}, middles{}
    {
        for (std::size_t k = 0; k < 127; ++k) {
            levels[k] = -dynamic_tree[126 - k];
            levels[128 + k] = dynamic_tree[k];
        }
        levels[255] = 1;
        for (std::size_t k = 0; k < 255; ++k)
            middles[k] = static_cast<float>(
                (static_cast<double>(levels[k]) + static_cast<double>(levels[k + 1])) / 2);
    }

    std::uint8_t nearest(float value) const noexcept
    {
        std::size_t count = 0;
        for (std::size_t half = 128; half > 0; half /= 2)
            count += half * static_cast<std::size_t>(middles[count + half - 1] < value);
        return static_cast<std::uint8_t>(count);
    }
};

inline constexpr dynamic_levels dynamic;

}  // namespace papilio::hivemind::detail

// Encoded, n elements are the number of blocks and that of levels, each an i64, then the blocks'
// largest magnitudes, the levels, and a byte per element.
namespace papilio::inline PAPILIO_MODE::hivemind {

template <element V>
std::size_t blockwise8::encode(std::span<const V> values, mutable_bytes output) const
{
    detail::check_lossy_element<V>();
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= bound<V>(n), "the output is too small for the encoded elements");
    std::vector<float> storage;
    const auto floats = detail::finite_floats(values, storage, "blockwise8");
    store(output.data(), static_cast<std::int64_t>(blocks(n)));
    store(output.data() + 8, std::int64_t{256});
    std::byte* peaks = output.data() + 16;
    std::byte* levels = peaks + blocks(n) * sizeof(float);
    std::byte* codes = levels + sizeof detail::dynamic.levels;
    std::memcpy(levels, detail::dynamic.levels, sizeof detail::dynamic.levels);
    for (std::size_t begin = 0; begin < n; begin += granule) {
        const auto block = floats.subspan(begin, std::min(granule, n - begin));
        float peak = 0;
        for (const float x : block) peak = std::max(peak, std::abs(x));
        store(peaks + begin / granule * sizeof peak, peak);
        const float divisor = peak > 0 ? peak : 1;
        for (std::size_t i = 0; i < block.size(); ++i)
            codes[begin + i] = std::byte{detail::dynamic.nearest(block[i] / divisor)};
    }
    return bound<V>(n);
}

template <element V>
void blockwise8::decode(bytes encoded, std::span<V> out) const
{
    detail::check_lossy_element<V>();
    const auto n = out.size();
    papilio::detail::check_encoded_size("hivemind::blockwise8", encoded, bound<V>(n));
    if (load<std::int64_t>(encoded.data()) != static_cast<std::int64_t>(blocks(n)) ||
        load<std::int64_t>(encoded.data() + 8) != 256)
        detail::refuse("blockwise8", "wrong number of blocks or of levels");
    const std::byte* peaks = encoded.data() + 16;
    const std::byte* codes = peaks + (blocks(n) + 256) * sizeof(float);
    float levels[256];
    std::memcpy(levels, peaks + blocks(n) * sizeof(float), sizeof levels);
    float largest = 0;
    for (const float level : levels) largest = std::max(largest, std::abs(level));
    if (!detail::all_finite(levels)) detail::refuse("blockwise8", "levels are finite");
    for (std::size_t begin = 0; begin < n; begin += granule) {
        const auto peak = load<float>(peaks + begin / granule * sizeof(float));
        if (!(peak >= 0) || !detail::is_finite(peak * largest))
            detail::refuse("blockwise8", "a block's magnitude is finite and not negative");
        for (std::size_t i = begin; i < std::min(begin + granule, n); ++i)
            out[i] = levels[std::to_integer<std::size_t>(codes[i])] * peak;
    }
}

}  // namespace papilio::hivemind
