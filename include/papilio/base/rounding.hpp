#pragma once

#include <papilio/base/config.hpp>

#ifdef __FAST_MATH__
#warning "papilio computes the same bits on every peer only when compiled without -ffast-math"
#endif

namespace papilio::inline PAPILIO_MODE::detail {

/// Makes `values` hold what was assigned to them, rounded, before anything else is computed. Stands
/// between a product and an addition: compilers that fuse the two into one instruction, as g++ does
/// by default wherever the processor can, would round once instead of twice and so differ in the
/// last bit from peers that cannot. The project's build also passes -ffp-contract=off, but a header
/// must not rely on its user's flags.
template <class T>
inline void round_now(T* values) noexcept
{
    asm volatile("" : : "r"(values) : "memory");
}

}  // namespace papilio::detail
