#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/further.hpp>
#include <papilio/codec/kernels/further_scalar.hpp>
#include <papilio/codec/kernels/further_x86.hpp>
#include <papilio/codec/kernels/table.hpp>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL const further_kernels& further_kernels_of(isa level) noexcept
{
#if defined(__x86_64__)
    if (level == isa::avx2) return avx2::further_table;
    if (level == isa::avx512) return avx512::further_table;
#endif
    static_cast<void>(level);
    return scalar_further_kernels;
}

PAPILIO_DECL const further_kernels& chosen_further_kernels()
{
    static const further_kernels& chosen = further_kernels_of(kernels().level);
    return chosen;
}

}  // namespace papilio::detail
