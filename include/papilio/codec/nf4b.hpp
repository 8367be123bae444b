#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/kernels/nf4b.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Four bits per element, for normally distributed numbers, and one 16-bit scale per 64: 4.25 bits
/// together. Each element becomes the nearest of NF4's 16 levels times the block's scale, which is
/// its largest magnitude rounded up; the squared error is about 0.0086 of the squares of normal
/// numbers. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct nf4b : detail::block_codec<detail::nf4_block, &detail::further_kernels::nf4b> {
    static constexpr codec_id id = codec_id::nf4b;
};

}  // namespace papilio
