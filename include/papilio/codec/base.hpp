#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <type_traits>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// The codec in the descriptor of a call. Zero is no codec; values from 128 on are for users'
/// codecs.
enum class codec_id : std::uint8_t {
    identity = 1,
    as_f16 = 2,
    as_bf16 = 3,
    int8b = 4,
    int4b_32 = 5,
    int4b_128 = 6,
    f16b = 7,
    nf4b = 8,
    fp8_e4m3 = 9,
    fp8_e5m2 = 10,
    fp4 = 11,
    sign1 = 12,
    topk = 13,
    randk = 14,
    hivemind_meanstd16 = 33,
    hivemind_float16 = 34,
    hivemind_quantile8 = 35,
    hivemind_uniform8 = 36,
    hivemind_blockwise8 = 37,
    first_user = 128,
};

/// The name of a codec, such as "int8b"; "a user's codec" from 128 on, "unknown" for other ids.
constexpr const char* name(codec_id id) noexcept
{
    switch (id) {
    case codec_id::identity: return "identity";
    case codec_id::as_f16: return "as_f16";
    case codec_id::as_bf16: return "as_bf16";
    case codec_id::int8b: return "int8b";
    case codec_id::int4b_32: return "int4b<32>";
    case codec_id::int4b_128: return "int4b<128>";
    case codec_id::f16b: return "f16b";
    case codec_id::nf4b: return "nf4b";
    case codec_id::fp8_e4m3: return "fp8<e4m3>";
    case codec_id::fp8_e5m2: return "fp8<e5m2>";
    case codec_id::fp4: return "fp4";
    case codec_id::sign1: return "sign1";
    case codec_id::topk: return "topk";
    case codec_id::randk: return "randk";
    case codec_id::hivemind_meanstd16: return "hivemind::meanstd16";
    case codec_id::hivemind_float16: return "hivemind::float16";
    case codec_id::hivemind_quantile8: return "hivemind::quantile8";
    case codec_id::hivemind_uniform8: return "hivemind::uniform8";
    case codec_id::hivemind_blockwise8: return "hivemind::blockwise8";
    case codec_id::first_user: break;
    }
    return id >= codec_id::first_user ? "a user's codec" : "unknown";
}

// clang-format off

/// Turns elements of type `V` into bytes and back.
///
/// Each `granule` of elements is encoded independently, so that a run may be cut at multiples of it
/// without changing the decoded values. `bound<V>(n)` is the most bytes that `n` elements take.
/// `encode(values, output)` returns how many bytes of `output`, which has at least the bound, it
/// wrote; the same values give the same bytes on every machine. `decode(bytes, out)` fills `out`,
/// whose size the receiver knows, or throws `errc::bad_message` for bytes that `encode` could not
/// have written for that many elements; then `out` holds unspecified values. Neither may wait.
///
/// A `lossless` codec takes every element type and every value. Other codecs take float and double;
/// the caller widens 16-bit floats for them. They take only finite numbers, `encode` throws
/// `errc::not_finite` otherwise, and they decode only finite numbers.
///
/// Three more members are optional:
/// - `c.at(begin)` is the codec for a run that begins at element `begin` of the whole vector, for
///   codecs whose bytes depend on the position of an element;
/// - `c.parameters()` is a number that differs between codecs of one id that cannot read each
///   other;
/// - `c.back()` is the codec for results. Without it, results use the same codec.
///
/// The codec for results must be the same function on every peer: with little data each peer
/// applies it to the result as a part's owner would, and results would differ. It must not depend
/// on a seed or a memory of one peer, and all else that it depends on must be among its
/// `parameters()`.
template <class C, class V>
concept codec = std::is_trivially_destructible_v<C> &&
    requires(const C& c, std::size_t n, std::span<const V> values, mutable_bytes output,
             bytes encoded, std::span<V> out) {
        { C::id } -> std::convertible_to<codec_id>;
        { C::granule } -> std::convertible_to<std::size_t>;
        { C::lossless } -> std::convertible_to<bool>;
        { c.template bound<V>(n) } -> std::same_as<std::size_t>;
        { c.encode(values, output) } -> std::same_as<std::size_t>;
        { c.decode(encoded, out) } -> std::same_as<void>;
    };

/// A codec that also encodes and decodes a run of `n` elements slice by slice, so that decoded
/// elements stay in the cache during a reduction. An encoded run takes exactly the bound.
///
/// `encode_slice(values, begin, n, output)` writes its share of what `encode` would write for the
/// whole run into `output`, which has at least the bound of `n`: the elements from `begin` on.
/// `decode_slice(encoded, begin, n, out)` fills `out` with these elements of the run, and
/// `accumulate_slice(encoded, begin, n, sums)` adds each to `sums`, rounding once. Slices begin at
/// a multiple of the granule, and end at one or at `n`. They throw what `encode` and `decode`
/// would; bad bytes outside of the slice may go unnoticed.
template <class C, class V>
concept sliced_codec = codec<C, V> &&
    requires(const C& c, std::size_t begin, std::size_t n, std::span<const V> values,
             mutable_bytes output, bytes encoded, std::span<V> out) {
        { c.encode_slice(values, begin, n, output) } -> std::same_as<void>;
        { c.decode_slice(encoded, begin, n, out) } -> std::same_as<void>;
        { c.accumulate_slice(encoded, begin, n, out) } -> std::same_as<void>;
    };

// clang-format on

namespace detail {
/// `codec` for a run that begins at element `begin` of the whole vector.
template <class C>
constexpr auto codec_at(const C& codec, std::size_t begin)
{
    if constexpr (requires { codec.at(begin); })
        return codec.at(begin);
    else
        return codec;
}

/// The parameters on which peers must agree beside the codec's id; 0: none.
template <class C>
constexpr std::uint64_t codec_parameters(const C& codec)
{
    if constexpr (requires { codec.parameters(); })
        return codec.parameters();
    else
        return 0;
}

/// The codec for results when contributions use `codec`.
template <class C>
constexpr auto codec_back(const C& codec)
{
    if constexpr (requires { codec.back(); })
        return codec.back();
    else
        return codec;
}

template <class C>
using codec_back_t = decltype(codec_back(std::declval<const C&>()));

/// Runs may be cut at its multiples both ways.
template <class C>
inline constexpr std::size_t common_granule =
    C::granule / std::gcd(C::granule, codec_back_t<C>::granule) * codec_back_t<C>::granule;

/// Every member of a lossy codec calls this, so that a wrong element type is refused by this
/// sentence whichever member is compiled first.
template <class V>
constexpr void check_lossy_element()
{
    static_assert(is_one_of<V, float, double>,
                  "a lossy codec takes float and double only: send integers with identity{}, and "
                  "convert 16-bit floats to float first");
}
}  // namespace detail

}  // namespace papilio
