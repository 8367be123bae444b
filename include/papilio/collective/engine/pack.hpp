#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/kernels/scalar.hpp>
#include <papilio/codec/kernels/table.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

// Elements to encoded bytes and back.
namespace papilio::inline PAPILIO_MODE::detail {

/// What a codec takes and an operation reduces where the caller's elements are `T`.
template <class Codec, element T>
using carried = std::conditional_t<Codec::lossless, T, accumulator_t<T>>;

/// Rounds what has been carried to the caller's elements. What is finite stays so: beyond the
/// largest `T` it becomes that, as it would in a codec of 16 bits. Infinities and NaN stay, too.
template <class V, element T>
void narrow_all(std::span<const V> from, std::span<T> to)
{
    static_assert(std::same_as<V, accumulator_t<T>> || std::same_as<V, T>);
    if constexpr (std::same_as<V, T>) {
        std::ranges::copy(from, to.begin());
    } else {
        constexpr bool half = std::same_as<T, f16>;
        const auto& kernel = half ? kernels().as_f16 : kernels().as_bf16;
        const auto output = std::as_writable_bytes(to).data();
        if (kernel.encode(from.data(), from.size(), output)) return;
        // Some are infinite or NaN, which the kernels leave open.
        constexpr std::uint16_t most = half ? 0x7bff : 0x7f7f;
        std::ranges::transform(from, to.begin(), narrowed<T, most>);
    }
}

/// Encodes a run that begins at element `begin` of the whole vector; returns how many bytes of
/// `output` it took. An empty run takes none, whatever the codec.
template <class Codec, element T>
std::size_t pack(const Codec& codec, std::size_t begin, std::span<const T> values,
                 mutable_bytes output)
{
    using value = carried<Codec, T>;
    if (values.empty()) return 0;
    const auto there = codec_at(codec, begin);
    if constexpr (std::same_as<value, T>) {
        return there.encode(values, output);
    } else {
        std::vector<value> wide(values.size());
        std::ranges::transform(values, wide.begin(), [](T x) { return static_cast<value>(x); });
        return there.encode(std::span<const value>(wide), output);
    }
}

/// The reverse. Throws `errc::bad_message` for bytes that are no such run.
template <class Codec, element T>
void unpack(const Codec& codec, std::size_t begin, bytes encoded, std::span<T> out)
{
    using value = carried<Codec, T>;
    if (out.empty()) {
        if (!encoded.empty())
            throw std::system_error(
                errc::bad_message,
                "a chunk of " + std::to_string(encoded.size()) + " bytes, not 0");
        return;
    }
    const auto there = codec_at(codec, begin);
    if constexpr (std::same_as<value, T>) {
        there.decode(encoded, out);
    } else {
        std::vector<value> wide(out.size());
        there.decode(encoded, std::span(wide));
        narrow_all(std::span<const value>(wide), out);
    }
}

}  // namespace papilio::detail
