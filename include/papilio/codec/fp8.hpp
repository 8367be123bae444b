#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/kernels/fp8.hpp>

#include <type_traits>

namespace papilio::inline PAPILIO_MODE::detail {

template <class Format>
inline constexpr auto fp8_kernels =
    std::is_same_v<Format, e4m3> ? &further_kernels::fp8_e4m3 : &further_kernels::fp8_e5m2;

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

/// An 8-bit float per element, `e4m3` or `e5m2`, and one 16-bit scale per 128: 8.125 bits together.
/// The relative error is at most 1/16 (e4m3) or 1/8 (e5m2), down to 2^-15 (2^-30) of the block's
/// largest magnitude; the squared error of normal numbers is about 6.6e-4 (2.6e-3) of their
/// squares. Blocks whose largest magnitude is below 2^-100 become zeros. For numbers of one size
/// `int8b` is more precise; these keep small numbers beside large ones.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite. The formats are those of
/// P. Micikevicius et al., "FP8 formats for deep learning" (2022).
template <class Format>
struct fp8 : detail::block_codec<detail::fp8_block<Format>, detail::fp8_kernels<Format>> {
    static_assert(std::is_same_v<Format, e4m3> || std::is_same_v<Format, e5m2>,
                  "8-bit floats come as fp8<e4m3> and fp8<e5m2>");
    static constexpr codec_id id =
        std::is_same_v<Format, e4m3> ? codec_id::fp8_e4m3 : codec_id::fp8_e5m2;
};

}  // namespace papilio
