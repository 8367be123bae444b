#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/block_codec.hpp>
#include <papilio/codec/kernels/sign1.hpp>

namespace papilio::inline PAPILIO_MODE {

/// One bit per element, its sign, and the mean magnitude of 512 of them as a 16-bit scale: 1.03
/// bits together. The squared error is 0.363 of the squares of normal numbers: use it beneath
/// `error_feedback`, which sends later what is lost now. After J. Bernstein et al., "signSGD"
/// (2018), and S. P. Karimireddy et al., "Error feedback fixes SignSGD" (2019). Blocks whose mean
/// magnitude is below 2^-100 become zeros; in others no element does.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct sign1 : detail::block_codec<detail::sign_block, &detail::further_kernels::sign1> {
    static constexpr codec_id id = codec_id::sign1;
};

}  // namespace papilio
