#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/integer_blocks.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Eight bits per element and one 16-bit scale per 128: about a quarter of float's bytes, with an
/// error of at most 1/252 of the block's largest magnitude. Each block is x = scale * code with
/// codes from -127 to 127. Blocks whose largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
struct int8b : detail::integer_blocks<detail::int8b_format, &detail::kernel_table::int8b> {
    static constexpr codec_id id = codec_id::int8b;
};

}  // namespace papilio
