#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/hivemind/base.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

// What uniform8 and quantile8 share: one byte per element, and in front a codebook of 256 floats
// that says what each byte is worth. Since the codebook travels, whoever reads it need not know how
// the codes were chosen.
namespace papilio::inline PAPILIO_MODE::hivemind::detail {

inline constexpr std::size_t codebook_size = 256;
inline constexpr std::size_t codebook_bytes = sizeof(std::int64_t) + codebook_size * sizeof(float);

/// The mean of the values of each code, 0 for those that none has. Four tables that take turns keep
/// runs of one code from waiting for their sum.
inline void find_means(std::span<const float> values, const std::uint8_t* codes, float* codebook)
{
    constexpr std::size_t turns = 4;
    double sums[turns][codebook_size] = {};
    std::uint64_t counts[turns][codebook_size] = {};
    papilio::detail::for_each_tile<turns>(values.size(), [&](std::size_t begin, auto size) {
        for (std::size_t i = 0; i < size; ++i) {
            sums[i][codes[begin + i]] += static_cast<double>(values[begin + i]);
            ++counts[i][codes[begin + i]];
        }
    });
    for (std::size_t code = 0; code < codebook_size; ++code) {
        const double sum = (sums[0][code] + sums[1][code]) + (sums[2][code] + sums[3][code]);
        const auto count = counts[0][code] + counts[1][code] + counts[2][code] + counts[3][code];
        codebook[code] = count == 0 ? 0 : static_cast<float>(sum / static_cast<double>(count));
    }
}

/// The base of a codec with a codebook. `Coder` has a `name`, and `encode(values, codes,
/// codebook)`, which throws `errc::not_finite`.
template <class Coder>
struct codebook_codec {
    static constexpr std::size_t granule = whole_run;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return codebook_bytes + n;
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes output) const
    {
        check_lossy_element<V>();
        PAPILIO_CHECK(output.size() >= bound<V>(values.size()),
                      "the output is too small for the encoded elements");
        std::vector<float> storage;
        auto* codes = reinterpret_cast<std::uint8_t*>(output.data() + codebook_bytes);
        float codebook[codebook_size] = {};
        Coder::encode(as_floats(values, storage), codes, codebook);
        store(output.data(), static_cast<std::int64_t>(codebook_size));
        std::memcpy(output.data() + sizeof(std::int64_t), codebook, sizeof codebook);
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        check_lossy_element<V>();
        if (encoded.size() != bound<V>(out.size()))
            refuse(Coder::name, "wrong number of bytes: " + std::to_string(encoded.size()));
        if (load<std::int64_t>(encoded.data()) != std::int64_t{codebook_size})
            refuse(Coder::name, "a codebook has 256 entries");
        float codebook[codebook_size];
        std::memcpy(codebook, encoded.data() + sizeof(std::int64_t), sizeof codebook);
        if (!all_finite(codebook)) refuse(Coder::name, "a codebook of finite numbers is wanted");
        const std::byte* codes = encoded.data() + codebook_bytes;
        if constexpr (std::same_as<V, float>)
            papilio::detail::kernels().uniform8.look_up(codes, out.size(), codebook, out.data());
        else
            for (std::size_t i = 0; i < out.size(); ++i)
                out[i] = codebook[std::to_integer<std::size_t>(codes[i])];
    }
};

}  // namespace papilio::hivemind::detail
