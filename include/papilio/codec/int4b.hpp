#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/integer_blocks.hpp>

#include <cstddef>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
template <std::size_t Block>
inline constexpr auto int4b_kernels =
    Block == 32 ? &kernel_table::int4b_32 : &kernel_table::int4b_128;
}  // namespace detail

/// Four bits per element and one 16-bit scale per `Block`, 32 or 128: about an eighth of float's
/// bytes. Each block is x = scale * code with codes from -7 to 7, so that the error is at most 1/13
/// of the block's largest magnitude; the squared error is 0.0095 of the squares of normal numbers
/// for blocks of 32 and 0.014 for 128. For slow links, best beneath error feedback. Blocks whose
/// largest magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite.
template <std::size_t Block>
struct int4b : detail::integer_blocks<detail::int4b_format<Block>, detail::int4b_kernels<Block>> {
    static_assert(Block == 32 || Block == 128, "int4b knows blocks of 32 and of 128 elements");
    static constexpr codec_id id = Block == 32 ? codec_id::int4b_32 : codec_id::int4b_128;
};

}  // namespace papilio
