#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/half.hpp>

namespace papilio::inline PAPILIO_MODE {

/// Sends each element as an IEEE binary16, rounded to nearest, ties to even: half of float's bytes,
/// a relative error of at most 2^-11 down to 2^-14, and an absolute one of 2^-25 below. Finite
/// numbers beyond 65504 become 65504, doubles beyond float's range included; other doubles are
/// first rounded to float. `encode` throws `errc::not_finite` for an infinity or a NaN, `decode`
/// `errc::bad_message`.
struct as_f16 : detail::half_codec<&detail::kernel_table::as_f16> {
    static constexpr codec_id id = codec_id::as_f16;
};

}  // namespace papilio
