#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/half.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Sends each element as a bf16, rounded to nearest, ties to even: half of float's bytes, its whole
/// range, and a relative error of at most 2^-8 above 2^-126. Finite numbers beyond the largest bf16
/// become that, doubles beyond float's range included; other doubles are first rounded to float.
/// `encode` throws `errc::not_finite` for an infinity or a NaN, `decode` `errc::bad_message`.
struct as_bf16 : detail::half_codec<&detail::kernel_table::as_bf16> {
    static constexpr codec_id id = codec_id::as_bf16;
};

}  // namespace papilio
