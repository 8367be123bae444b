#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/further_base.hpp>

// Which further kernels run here.
namespace papilio::inline PAPILIO_MODE::detail {

/// Those of a level that this machine has: see table.hpp. NEON has none of its own, and runs the
/// reference.
const further_kernels& further_kernels_of(isa level) noexcept;

/// Those of the level that this process uses.
const further_kernels& chosen_further_kernels();

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/codec/impl/further_kernels.hpp>
#endif
