#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

// How codecs that send a few elements of a chunk store where these stand. Places ascend. Each kind
// has
// - `code`, a number for descriptors;
// - `fixed`: whether `k` places always take as many bytes;
// - `bound(k, n, chunk, spacing)`: the most bytes that `k` places below `n` take, where a whole
//   chunk has `chunk` elements and one in `spacing` is sent;
// - `encode(places, k, chunk, spacing, to)`: returns how many bytes it wrote;
// - `decode(encoded, k, n, chunk, spacing, places)`: false for bytes that `encode` could not have
//   written. What it decodes ascends and is below `n`.
namespace papilio::inline PAPILIO_MODE {

/// As many bits for each as the largest place needs: 12 in a chunk of 4096.
struct packed_places {
    static constexpr std::uint8_t code = 1;
    static constexpr bool fixed = true;

    static constexpr std::size_t bound(std::size_t k, std::size_t n, std::size_t chunk,
                                       std::size_t spacing) noexcept;
    static std::size_t encode(const std::uint16_t* places, std::size_t k, std::size_t chunk,
                              std::size_t spacing, std::byte* to) noexcept;
    static bool decode(bytes encoded, std::size_t k, std::size_t n, std::size_t chunk,
                       std::size_t spacing, std::uint16_t* places) noexcept;
};

/// The distances between places in the code of R. F. Rice (1979), whose parameter follows from the
/// spacing: 7.5 bits for each of 64 in 4096. Slower, for slow links.
struct rice_places {
    static constexpr std::uint8_t code = 2;
    static constexpr bool fixed = false;

    static constexpr std::size_t bound(std::size_t k, std::size_t n, std::size_t chunk,
                                       std::size_t spacing) noexcept;
    static std::size_t encode(const std::uint16_t* places, std::size_t k, std::size_t chunk,
                              std::size_t spacing, std::byte* to) noexcept;
    static bool decode(bytes encoded, std::size_t k, std::size_t n, std::size_t chunk,
                       std::size_t spacing, std::uint16_t* places) noexcept;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// Writes numbers of a few bits one after the other, the lowest bits first.
class bit_writer {
public:
    explicit bit_writer(std::byte* to) noexcept : to_(to) {}

    /// `width` is at most 32, and `value` has no more bits.
    void put(std::uint32_t value, unsigned width) noexcept
    {
        waiting_ |= std::uint64_t{value} << count_;
        for (count_ += width; count_ >= 8; count_ -= 8, waiting_ >>= 8)
            *to_++ = static_cast<std::byte>(waiting_ & 0xff);
    }

    /// Fills up the last byte with zeros; returns the end.
    std::byte* finish() noexcept
    {
        if (count_ > 0) *to_++ = static_cast<std::byte>(waiting_ & 0xff);
        return to_;
    }

private:
    std::byte* to_;
    std::uint64_t waiting_ = 0;
    unsigned count_ = 0;
};

/// Reads what `bit_writer` wrote. Beyond the end there are zeros, and `complete` is false.
class bit_reader {
public:
    explicit bit_reader(bytes from) noexcept : from_(from) {}

    std::uint32_t get(unsigned width) noexcept
    {
        while (count_ < width) {
            if (next_ < from_.size())
                waiting_ |= std::to_integer<std::uint64_t>(from_[next_]) << count_;
            ++next_;
            count_ += 8;
        }
        const auto value = static_cast<std::uint32_t>(waiting_ & ((std::uint64_t{1} << width) - 1));
        waiting_ >>= width;
        count_ -= width;
        return value;
    }

    /// Whether exactly all bytes were read, and only zeros are left of the last one.
    bool complete() const noexcept { return next_ == from_.size() && waiting_ == 0; }

private:
    bytes from_;
    std::size_t next_ = 0;
    std::uint64_t waiting_ = 0;
    unsigned count_ = 0;
};

/// Distances spread like powers of 1 - 1/spacing; this parameter suits them best.
constexpr unsigned rice_parameter(std::size_t spacing) noexcept
{
    const auto width = std::bit_width(spacing * 69 / 100);
    return static_cast<unsigned>(width == 0 ? 0 : width - 1);
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

constexpr std::size_t packed_places::bound(std::size_t k, std::size_t, std::size_t chunk,
                                           std::size_t) noexcept
{
    return (k * static_cast<std::size_t>(std::bit_width(chunk - 1)) + 7) / 8;
}

inline std::size_t packed_places::encode(const std::uint16_t* places, std::size_t k,
                                         std::size_t chunk, std::size_t, std::byte* to) noexcept
{
    detail::bit_writer writer(to);
    const auto width = static_cast<unsigned>(std::bit_width(chunk - 1));
    for (std::size_t i = 0; i < k; ++i) writer.put(places[i], width);
    return static_cast<std::size_t>(writer.finish() - to);
}

inline bool packed_places::decode(bytes encoded, std::size_t k, std::size_t n, std::size_t chunk,
                                  std::size_t, std::uint16_t* places) noexcept
{
    detail::bit_reader reader(encoded);
    const auto width = static_cast<unsigned>(std::bit_width(chunk - 1));
    bool ascending = true;
    for (std::size_t i = 0; i < k; ++i) {
        places[i] = static_cast<std::uint16_t>(reader.get(width));
        ascending = ascending && places[i] < n && (i == 0 || places[i - 1] < places[i]);
    }
    return ascending && reader.complete();
}

/// The distances add up to less than n, and so do their upper parts, which are stored in unary.
constexpr std::size_t rice_places::bound(std::size_t k, std::size_t n, std::size_t,
                                         std::size_t spacing) noexcept
{
    const auto lower = detail::rice_parameter(spacing);
    return (k * (lower + 1) + (n >> lower) + 7) / 8;
}

inline std::size_t rice_places::encode(const std::uint16_t* places, std::size_t k, std::size_t,
                                       std::size_t spacing, std::byte* to) noexcept
{
    detail::bit_writer writer(to);
    const auto lower = detail::rice_parameter(spacing);
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < k; ++i) {
        const auto distance = places[i] - next;
        next = places[i] + 1u;
        auto upper = distance >> lower;
        for (; upper >= 31; upper -= 31) writer.put(0x7fffffff, 31);
        writer.put((1u << upper) - 1, upper + 1);  // ones, and a zero that ends them
        writer.put(distance & ((1u << lower) - 1), lower);
    }
    return static_cast<std::size_t>(writer.finish() - to);
}

inline bool rice_places::decode(bytes encoded, std::size_t k, std::size_t n, std::size_t,
                                std::size_t spacing, std::uint16_t* places) noexcept
{
    detail::bit_reader reader(encoded);
    const auto lower = detail::rice_parameter(spacing);
    std::size_t next = 0;
    for (std::size_t i = 0; i < k; ++i) {
        std::size_t upper = 0;
        while (reader.get(1) == 1)
            if (++upper << lower >= n) return false;
        const auto place = next + (upper << lower) + reader.get(lower);
        if (place >= n) return false;
        places[i] = static_cast<std::uint16_t>(place);
        next = place + 1;
    }
    return reader.complete();
}

}  // namespace papilio
