#pragma once

#include <papilio/codec/hivemind/base.hpp>

namespace papilio::hivemind {

/// hivemind's FLOAT16: each element as an IEEE binary16, brought within 65504. Unlike `as_f16` it
/// neither sends nor takes infinities and NaN: `encode` throws `errc::not_finite`.
struct float16 {
    static constexpr codec_id id = codec_id::hivemind_float16;
    static constexpr std::size_t granule = 1;
    static constexpr bool lossless = false;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return n * sizeof(f16);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        detail::check_lossy_element<V>();
        PAPILIO_CHECK(room.size() >= bound<V>(values.size()), "no room for the encoded elements");
        std::vector<float> storage;
        const auto floats = detail::finite_floats(values, storage, "float16");
        for (std::size_t i = 0; i < floats.size(); ++i)
            store(room.data() + i * sizeof(f16), detail::clamped_half(floats[i]));
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        detail::check_lossy_element<V>();
        if (encoded.size() != bound<V>(out.size()))
            detail::refuse("float16", "wrong number of bytes");
        bool finite = true;
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto half = load<f16>(encoded.data() + i * sizeof(f16));
            finite &= (half.bits & 0x7fff) < 0x7c00;
            out[i] = static_cast<float>(half);
        }
        if (!finite) detail::refuse("float16", "not a finite number");
    }
};

}  // namespace papilio::hivemind
