#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/request.hpp>
#include <papilio/wire/swarm_fields.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// How a state is cut into chunks, and the messages that go before and after the chunks.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t state_chunk_elements = std::size_t{64} << 10;
inline constexpr std::size_t max_state_spans = 64;  // few, since `at` searches them one by one
inline constexpr std::size_t max_state_in_flight = 256;

/// The elements of each chunk. No chunk crosses from one span into the next.
class state_plan {
public:
    explicit state_plan(std::vector<std::size_t> sizes) : sizes_(std::move(sizes))
    {
        for (const auto size : sizes_) chunks_ += chunks_of(size);
    }

    struct range {
        std::size_t span = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    const std::vector<std::size_t>& sizes() const noexcept { return sizes_; }
    std::size_t chunks() const noexcept { return chunks_; }

    std::uint64_t bytes() const noexcept
    {
        std::uint64_t sum = 0;
        for (const auto size : sizes_) sum += std::uint64_t{size} * sizeof(float);
        return sum;
    }

    range at(std::size_t chunk) const noexcept
    {
        range r;
        for (; r.span < sizes_.size(); ++r.span) {
            const auto in_span = chunks_of(sizes_[r.span]);
            if (chunk < in_span) break;
            chunk -= in_span;
        }
        r.begin = chunk * state_chunk_elements;
        r.size = std::min(state_chunk_elements, sizes_[r.span] - r.begin);
        return r;
    }

    /// The transfer of all chunks, with so many of them in flight.
    bulk transfer(std::uint32_t request, std::size_t in_flight) const noexcept
    {
        return {control_service::state, request, chunks_, 0, in_flight};
    }

    /// Chunks in flight that take about `window_bytes`.
    static std::uint32_t in_flight_for(std::size_t window_bytes) noexcept
    {
        const auto wanted = window_bytes / (state_chunk_elements * sizeof(float));
        return static_cast<std::uint32_t>(std::clamp<std::size_t>(wanted, 1, max_state_in_flight));
    }

private:
    static std::size_t chunks_of(std::size_t elements) noexcept
    {
        return (elements + state_chunk_elements - 1) / state_chunk_elements;
    }

    std::vector<std::size_t> sizes_;
    std::size_t chunks_ = 0;
};

struct state_request {
    std::uint32_t magic = 0x53504150;  // "PAPS"
    std::uint32_t request = 0;
    std::uint32_t min_round = 0;  ///< an older state is of no use
    std::uint32_t in_flight = 1;  ///< chunks
};

inline state_request parse_state_request(bytes from)
{
    const auto r = read_request<state_request>(from, "the message is no request for the state");
    if (r.in_flight < 1 || r.in_flight > max_state_in_flight)
        throw std::system_error(
            errc::bad_message, "a request for the state must have 1 to 256 chunks in flight, not " +
                                   std::to_string(r.in_flight));
    return r;
}

/// u32 round, u8 has, u8 number of spans, u64 size of each.
struct state_offer {
    std::uint32_t round = 0;
    bool has = false;
    std::vector<std::size_t> sizes;
    static constexpr std::size_t max_size = 6 + 8 * max_state_spans;
};

inline std::vector<std::byte> encode(const state_offer& offer)
{
    wire::detail::field_writer to;
    to.put(offer.round);
    to.put(static_cast<std::uint8_t>(offer.has));
    to.put(static_cast<std::uint8_t>(offer.sizes.size()));
    for (const auto size : offer.sizes) to.put(std::uint64_t{size});
    return to.take();
}

inline state_offer parse_state_offer(bytes from)
{
    wire::detail::field_reader fields(from);
    state_offer offer;
    offer.round = fields.get<std::uint32_t>();
    wire::detail::check_round(offer.round);
    offer.has = fields.get_bool();
    const auto spans = fields.get<std::uint8_t>();
    if (spans > max_state_spans)
        throw std::system_error(errc::bad_message,
                                "a state must have at most 64 spans, not " + std::to_string(spans));
    for (std::size_t i = 0; i < spans; ++i) offer.sizes.push_back(fields.get<std::uint64_t>());
    fields.expect_end();
    return offer;
}

/// How the donor's state differs from the expected one; empty: it does not.
inline std::string size_mismatch(const std::vector<std::size_t>& expected,
                                 const std::vector<std::size_t>& offered)
{
    if (expected.size() != offered.size())
        return "the donor's state has " + std::to_string(offered.size()) + " spans, ours " +
               std::to_string(expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (expected[i] != offered[i])
            return "span " + std::to_string(i) + " of the donor's state has " +
                   std::to_string(offered[i]) + " elements, ours " + std::to_string(expected[i]);
    return {};
}

/// A checksum of the whole: over the chunks' checksums in order, in whatever order they arrive.
class state_checksum {
public:
    explicit state_checksum(std::size_t chunks) : sums_(chunks) {}
    void set(std::size_t chunk, std::uint64_t sum) { sums_[chunk] = sum; }
    std::uint64_t value(std::uint32_t round) const
    {
        std::uint64_t all = hash(round, sums_.size());
        for (const auto sum : sums_) all = hash(all, sum);
        return all;
    }

private:
    std::vector<std::uint64_t> sums_;
};

}  // namespace papilio::detail
