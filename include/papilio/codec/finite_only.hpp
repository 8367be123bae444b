#pragma once

#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/finite.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <vector>

namespace papilio {

/// What becomes of a number that is not finite as a float, before it is encoded. What arrives and
/// is not finite is refused under each policy.
enum class non_finite : unsigned char {
    error,     ///< `encode` throws `errc::not_finite`
    zero,      ///< it becomes 0
    saturate,  ///< a NaN becomes 0, what is too large the largest bf16, 3.39e38, with its sign
};

/// `Codec` with a policy for numbers that are not finite: `finite_only{int8b{}, non_finite::zero}`.
/// By themselves the codecs refuse to encode a NaN or an infinity, but for `identity`, which lets
/// them pass; within this one, all do as they are told, on the way back, too. Finite numbers are
/// encoded as ever. Decoding throws `errc::bad_message` for what is not finite, whichever codec let
/// it pass, so that the peer who sent it is found out. The policy is the same on every peer, as the
/// result is: a peer that has another, or none, is found out, too.
/// `two_way{finite_only{int8b{}, non_finite::zero}, int8b{}}` has it for contributions alone.
///
/// Where a number was replaced, `*met` becomes true, if there is one: a training that makes such
/// numbers should know. A saturated number is the largest of its block and leaves little of the
/// others. Around `error_feedback` it keeps what is not finite out of the residuals; within, it
/// would not. Bytes, id and what decodes are Codec's.
template <class Codec>
struct finite_only {
    static constexpr codec_id id = Codec::id;
    static constexpr std::size_t granule = Codec::granule;
    static constexpr bool lossless = Codec::lossless;

    Codec codec;
    non_finite policy = non_finite::error;
    std::atomic<bool>* met = nullptr;

    constexpr auto back() const { return around(detail::codec_back(codec)); }
    constexpr std::uint64_t parameters() const
    {
        return hash(detail::codec_parameters(codec), static_cast<unsigned char>(policy));
    }
    constexpr auto at(std::size_t begin) const { return around(detail::codec_at(codec, begin)); }

    template <element V>
    constexpr std::size_t bound(std::size_t n) const
    {
        return codec.template bound<V>(n);
    }

    template <element V>
    std::size_t encode(std::span<const V> values, mutable_bytes room) const
    {
        std::vector<V> storage;
        return codec.encode(cleaned(values, storage), room);
    }

    template <element V>
    void decode(bytes encoded, std::span<V> out) const
    {
        codec.decode(encoded, out);
        check_decoded(out);
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void encode_slice(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes room) const
    {
        std::vector<V> storage;
        codec.encode_slice(cleaned(values, storage), begin, n, room);
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void decode_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out) const
    {
        codec.decode_slice(encoded, begin, n, out);
        check_decoded(out);
    }

    template <element V>
    requires sliced_codec<Codec, V>
    void accumulate_slice(bytes encoded, std::size_t begin, std::size_t n, std::span<V> sums) const
    {
        // Sums of finite numbers may be infinite, so these are looked at before they are added.
        std::vector<V> decoded(sums.size());
        decode_slice(encoded, begin, n, std::span<V>(decoded));
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] = static_cast<V>(sums[i] + decoded[i]);
    }

private:
    template <class Other>
    constexpr finite_only<Other> around(Other other) const
    {
        return {other, policy, met};
    }

    template <class V>
    static void check_decoded(std::span<V> values)
    {
        if constexpr (floating_element<V>)
            if (!detail::all_finite(values))
                throw std::system_error(errc::bad_message, "a peer sent what is not finite");
    }

    /// The values themselves if all are finite, as they nearly always are; else a copy in
    /// `storage`.
    template <class V>
    std::span<const V> cleaned(std::span<const V> values, std::vector<V>& storage) const
    {
        if constexpr (!floating_element<V>) return values;
        if (detail::all_finite(values)) return values;
        if (policy == non_finite::error)
            throw std::system_error(errc::not_finite, "only finite numbers are to be encoded");
        if (met != nullptr) met->store(true, std::memory_order_relaxed);
        storage.assign(values.begin(), values.end());
        for (V& x : storage) x = replaced(x);
        return storage;
    }

    template <class V>
    V replaced(V x) const
    {
        const auto as_float = static_cast<float>(x);
        if (detail::is_finite(as_float)) return x;
        if (policy == non_finite::zero || as_float != as_float) return static_cast<V>(0.0f);
        const float most = std::same_as<V, f16> ? 65504 : detail::bf16_value(0x7f7f);
        return static_cast<V>(as_float > 0 ? most : -most);
    }
};

template <class Codec>
finite_only(Codec) -> finite_only<Codec>;
template <class Codec>
finite_only(Codec, non_finite) -> finite_only<Codec>;
template <class Codec>
finite_only(Codec, non_finite, std::atomic<bool>*) -> finite_only<Codec>;

}  // namespace papilio
