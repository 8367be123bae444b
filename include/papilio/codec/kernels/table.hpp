#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/kernels/base.hpp>

// Which kernels run here.
namespace papilio::inline PAPILIO_MODE::detail {

/// The kernels of a level; null where this machine lacks something that they need. Feature bits
/// decide, which cover what the operating system saves, too: never the processor's name, which
/// virtual machines make up.
const kernel_table* kernels_of(isa level) noexcept;

/// The kernels of the level that `wanted` names, or the best ones if it is null or empty. Throws
/// `errc::bad_argument` for a level that does not exist or that this machine lacks.
const kernel_table& choose_kernels(const char* wanted);

/// The kernels that this process uses: the best of this machine's, or those that the environment
/// variable PAPILIO_ISA names, so that tests can have others. Chosen at the first call; an
/// impossible choice throws here, again and again.
const kernel_table& kernels();

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/codec/impl/kernels.hpp>
#endif
