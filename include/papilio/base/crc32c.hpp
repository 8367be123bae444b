#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// The CRC-32C (Castagnoli) of `data` as iSCSI has it (RFC 3720, appendix B.4), or of what had the
/// CRC `before` with `data` behind it. Finds every flip of up to three bits, and every burst of 32,
/// in messages of up to 256 MiB; it does not withstand somebody who makes up data to fit. With the
/// processor's own instructions, where it has them, it costs less than to read the data from
/// memory.
std::uint32_t crc32c(bytes data, std::uint32_t before = 0) noexcept;

namespace detail {

/// One of the ways to compute it. Takes and returns the CRC without its complement.
using crc32c_kernel = std::uint32_t (*)(std::uint32_t, const std::byte*, std::size_t) noexcept;

/// Eight bytes at a time by tables, on any machine.
std::uint32_t crc32c_by_tables(std::uint32_t crc, const std::byte* at, std::size_t size) noexcept;

/// By instructions for it: three streams of bytes at once, since such an instruction takes three
/// cycles and one can begin in each (V. Gopal et al., "Fast CRC Computation for iSCSI Polynomial
/// Using CRC32 Instruction", Intel 2011). Null where the machine lacks them.
crc32c_kernel crc32c_by_instruction() noexcept;

/// By products without carry, 256 bytes at a time ("Fast CRC Computation for Generic Polynomials
/// Using PCLMULQDQ Instruction", Intel 2009). Null where the machine lacks them.
crc32c_kernel crc32c_by_products() noexcept;

}  // namespace detail

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/crc32c.hpp>
#endif
