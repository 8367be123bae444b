#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// The CRC-32C of a message, summed as its bytes go out: while the processor's cache holds them
/// anyway. Summed apart, a long message would be read from memory twice.
class running_crc {
public:
    /// How many bytes at a time the cache surely holds.
    static constexpr std::size_t cached = std::size_t{256} << 10;

    /// Sums at least the first `upto` bytes of `all`, which is the same each time.
    void sum(bytes all, std::size_t upto) noexcept
    {
        if (upto <= summed_) return;
        crc_ = crc32c(all.subspan(summed_, upto - summed_), crc_);
        summed_ = upto;
        store(encoded_.data(), crc_);
    }

    std::size_t summed() const noexcept { return summed_; }

    /// As it follows the message, once all is summed.
    bytes encoded() const noexcept { return encoded_; }

private:
    std::uint32_t crc_ = 0;
    std::size_t summed_ = 0;
    std::array<std::byte, 4> encoded_{};
};

}  // namespace papilio::detail
