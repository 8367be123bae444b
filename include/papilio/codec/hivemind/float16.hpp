#pragma once

#include <papilio/codec/hivemind/base.hpp>
#include <papilio/codec/kernels/table.hpp>

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
        papilio::detail::kernels().as_f16.encode(floats.data(), floats.size(), room.data());
        return bound<V>(values.size());
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        detail::check_lossy_element<V>();
        if (encoded.size() != bound<V>(out.size()))
            detail::refuse("float16", "wrong number of bytes");
        if (!detail::finite_halves(encoded.data(), out.size()))
            detail::refuse("float16", "not a finite number");
        const auto& kernel = papilio::detail::kernels().as_f16;
        papilio::detail::for_each_tile<tile>(out.size(), [&](std::size_t at, std::size_t size) {
            const std::byte* from = encoded.data() + at * sizeof(f16);
            if constexpr (std::same_as<V, float>) {
                kernel.decode(from, size, out.data() + at);
            } else {
                float floats[tile];
                kernel.decode(from, size, floats);
                std::copy_n(floats, size, out.data() + at);
            }
        });
    }

private:
    static constexpr std::size_t tile = 1024;
};

}  // namespace papilio::hivemind
