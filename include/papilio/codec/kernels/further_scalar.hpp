#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/fp4.hpp>
#include <papilio/codec/kernels/fp8.hpp>
#include <papilio/codec/kernels/further_base.hpp>
#include <papilio/codec/kernels/nf4b.hpp>
#include <papilio/codec/kernels/sign1.hpp>
#include <papilio/codec/kernels/stochastic.hpp>

// The references, together.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr further_kernels scalar_further_kernels{
    isa::scalar,
    reference_blocks<nf4_block>,
    reference_blocks<fp8_block<e4m3>>,
    reference_blocks<fp8_block<e5m2>>,
    reference_blocks<sign_block>,
    {write_fp4, read_fp4<false>, read_fp4<true>},
    write_stochastic<int8b_format>,
    write_stochastic<int4b_format<32>>,
    write_stochastic<int4b_format<128>>,
};

}  // namespace papilio::detail
