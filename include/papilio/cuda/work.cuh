#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/cuda/reduce_stripe.cuh>
#include <papilio/cuda/topk_decode.cuh>
#include <papilio/cuda/topk_encode.cuh>
#include <papilio/op/mean.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/op/weighted_mean.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

// From a call to what kernels need: sizes are checked, once, on the host. Spans here are of device
// memory, which the host must not read.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

inline bool is_aligned(const void* at, std::size_t to) noexcept
{
    return reinterpret_cast<std::uintptr_t>(at) % to == 0;
}

template <class Codec>
inline constexpr std::size_t code_alignment = sizeof(codes<format<Codec>>);

inline void check_flag(const flag* refused)
{
    PAPILIO_CHECK(refused != nullptr, "a kernel needs a flag to raise");
}

template <class Codec>
void check_size(bytes encoded, std::size_t n)
{
    const auto wanted = Codec{}.template bound<float>(n);
    if (encoded.size() != wanted)
        throw papilio::detail::bad_value(errc::bad_message,
                                         "the size of " + std::to_string(n) + " encoded elements",
                                         std::to_string(wanted) + " bytes", encoded.size());
}

template <class Codec>
auto encode_work(Codec, std::span<const float> values, mutable_bytes output, flag* refused)
{
    check_flag(refused);
    const auto n = values.size();
    PAPILIO_CHECK(output.size() >= Codec{}.template bound<float>(n),
                  "the output is too small for the encoded elements");
    if constexpr (sparse<Codec>::is) {
        return encode_chunk<Codec>{values.data(), n, output.data(), refused};
    } else {
        const bool aligned =
            is_aligned(values.data(), 16) && is_aligned(output.data(), code_alignment<Codec>);
        return encode_stripe<format<Codec>>{values.data(), {output.data(), n}, refused, aligned};
    }
}

template <bool adds, class Codec>
auto decode_work(Codec, bytes encoded, std::span<float> values, flag* refused)
{
    check_flag(refused);
    check_size<Codec>(encoded, values.size());
    if constexpr (sparse<Codec>::is) {
        using work = std::conditional_t<adds, accumulate_chunk<Codec>, decode_chunk<Codec>>;
        return work{encoded.data(), values.data(), values.size(), refused};
    } else {
        const bool aligned =
            is_aligned(values.data(), 16) && is_aligned(encoded.data(), code_alignment<Codec>);
        return decode_stripe<format<Codec>, adds>{
            {encoded.data(), values.size()}, values.data(), refused, aligned};
    }
}

inline void set_operation(sum, std::span<const double>, contributions&) {}

inline void set_operation(mean, std::span<const double>, contributions& of)
{
    of.divides = true;
    of.divisor = static_cast<float>(of.count);
}

inline void set_operation(weighted_mean, std::span<const double> weights, contributions& of)
{
    PAPILIO_CHECK(weights.size() == static_cast<std::size_t>(of.count),
                  "each contribution has one weight");
    const auto factors = papilio::detail::scaled_weights<float>(weights);
    of.weighs = of.divides = true;
    of.divisor = 0;
    for (std::size_t k = 0; k < factors.size(); ++k) {
        of.factor[k] = factors[k];
        of.divisor += factors[k];
    }
}

template <class Codec, class Op>
contributions versions_of(Op op, Codec, std::span<const bytes> encoded,
                          std::span<const double> weights, std::size_t n)
{
    if (encoded.empty() || encoded.size() > static_cast<std::size_t>(contributions::most))
        throw papilio::detail::bad_value("the number of contributions to a kernel", "1 to 128",
                                         encoded.size());
    contributions of;
    of.count = static_cast<int>(encoded.size());
    for (std::size_t k = 0; k < encoded.size(); ++k) {
        check_size<Codec>(encoded[k], n);
        of.at[k] = encoded[k].data();
    }
    set_operation(op, weights, of);
    return of;
}

/// `output` may be null, where the result is not to be encoded, and `out` where it is, but not
/// both.
template <class Back>
reduced<format<Back>> result_of(Back, std::size_t n, mutable_bytes output, std::span<float> out,
                                flag* refused)
{
    check_flag(refused);
    PAPILIO_CHECK(output.data() == nullptr || output.size() >= Back{}.template bound<float>(n),
                  "the output is too small for the encoded result");
    PAPILIO_CHECK(out.data() == nullptr || out.size() == n, "the result has as many elements");
    PAPILIO_CHECK(n == 0 || output.data() != nullptr || out.data() != nullptr,
                  "a result needs output: for its bytes, for its elements, or for both");
    const bool aligned =
        is_aligned(out.data(), 16) && is_aligned(output.data(), code_alignment<Back>);
    return {{output.data(), n}, out.data(), refused, aligned};
}

template <class Op, class From, class Back>
auto reduce_work(Op op, From from, Back back, std::size_t n, std::span<const bytes> encoded,
                 std::span<const double> weights, mutable_bytes output, std::span<float> out,
                 flag* refused)
{
    static_assert(!sparse<Back>::is,
                  "what sparse contributions add up to is dense: it goes back by another codec");
    auto into = result_of(back, n, output, out, refused);
    const auto of = versions_of(op, from, encoded, weights, n);
    if constexpr (sparse<From>::is) {
        return reduce_chunk<From, format<Back>>{of, into};
    } else {
        for (const auto contribution : encoded)
            into.aligned = into.aligned && is_aligned(contribution.data(), code_alignment<From>);
        return reduce_stripe<format<From>, format<Back>>{of, into};
    }
}

}  // namespace papilio::cuda::detail
