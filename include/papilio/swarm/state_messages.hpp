#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/span_transfer.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/request.hpp>
#include <papilio/wire/swarm_fields.hpp>

#include <cstdint>
#include <string>
#include <vector>

// The messages that go before the chunks of a state.
namespace papilio::inline PAPILIO_MODE::detail {

struct state_request {
    std::uint32_t magic = 0x53504150;  // "PAPS"
    std::uint32_t request = 0;
    std::uint32_t min_round = 0;  ///< an older state is of no use
    std::uint32_t in_flight = 1;  ///< chunks
};

inline state_request parse_state_request(bytes from)
{
    const auto r = read_request<state_request>(from, "the message is no request for the state");
    if (r.in_flight < 1 || r.in_flight > span_plan::max_in_flight)
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
    static constexpr std::size_t max_size = 6 + 8 * span_plan::max_spans;
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
    if (spans > span_plan::max_spans)
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

}  // namespace papilio::detail
