#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/half.hpp>

namespace papilio::inline PAPILIO_MODE::hivemind {

/// hivemind's FLOAT16: each element as an IEEE binary16, brought within 65504. `as_f16` with the id
/// that says so.
struct float16 : papilio::detail::half_codec<&papilio::detail::kernel_table::as_f16> {
    static constexpr codec_id id = codec_id::hivemind_float16;
};

}  // namespace papilio::hivemind
