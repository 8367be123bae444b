#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/plan/role.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The mean of a round as few bytes as keep its bits, for members that missed the round. `begins`
/// are those of the parts in which it was encoded. A mean that came by int8b takes about one byte
/// for each element, by f16 or bf16 two, and else four.
std::vector<std::byte> write_mean(std::span<const float> mean, std::span<const std::size_t> begins);

/// Throws `errc::bad_message` for bytes that are not those of a mean of so many elements.
void read_mean(bytes written, std::span<float> mean);

/// Where the parts of the mean of `count` elements begin that peers with these roles and shares
/// own: the mean is encoded from there. Nowhere without a peer that reduces.
std::vector<std::size_t> part_begins(std::size_t count, std::span<const role> roles,
                                     std::span<const double> shares);

/// The parts of `count` elements in a call among peers with these roles and shares, by rank. No
/// shares: equal ones. Without a peer that reduces, nobody owns anything.
std::vector<part> parts_of(std::size_t count, std::span<const role> roles,
                           std::span<const double> shares);

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/session/impl/mean_bytes.hpp>
#endif
