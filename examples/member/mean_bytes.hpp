#pragma once

#include <papilio/base/bytes.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace papilio::example {

/// The mean of a round as few bytes as keep its bits, for members that missed the round. `begins`
/// are those of the parts in which it was encoded. A mean that came by int8b takes about one byte
/// for each element, by f16 or bf16 two, and else four.
std::vector<std::byte> write_mean(std::span<const float> mean, std::span<const std::size_t> begins);

/// Throws `errc::bad_message` for bytes that are not those of a mean of so many elements.
void read_mean(bytes written, std::span<float> mean);

}  // namespace papilio::example
