#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/base.hpp>

#include <cstddef>
#include <cstdint>

// The kernels of the codecs that papilio.hpp leaves out: a table of their own, so that a small
// program need not compile them.
namespace papilio::inline PAPILIO_MODE::detail {

/// Between floats and whole runs of 1024 with 512 bytes of codes, 64 inner scales and an outer one
/// each. Otherwise like `block_kernels`.
struct fp4_kernels {
    bool (*encode)(const float* values, std::size_t runs, std::byte* codes, std::byte* inner,
                   std::byte* outer);
    bool (*decode)(const std::byte* codes, const std::byte* inner, const std::byte* outer,
                   std::size_t runs, float* values);
    bool (*accumulate)(const std::byte* codes, const std::byte* inner, const std::byte* outer,
                       std::size_t runs, float* sums);
};

/// Like `block_kernels::encode`, rounded by chance: `drawn_code` says how. `draws` is what element
/// 0 draws by, and each further one by `golden_ratio` more.
using stochastic_kernel = bool (*)(const float* values, std::size_t blocks, std::uint64_t draws,
                                   std::byte* codes, std::byte* scales);

struct further_kernels {
    isa level;
    block_kernels nf4b;
    block_kernels fp8_e4m3;
    block_kernels fp8_e5m2;
    block_kernels sign1;
    fp4_kernels fp4;
    stochastic_kernel stochastic_int8b;
    stochastic_kernel stochastic_int4b_32;
    stochastic_kernel stochastic_int4b_128;
};

}  // namespace papilio::detail
