#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/swarm/span_transfer.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/request.hpp>

#include <cstdint>
#include <vector>

// The messages that go before the chunks of updates.
namespace papilio::inline PAPILIO_MODE::detail {

struct update_request {
    std::uint32_t magic = 0x55504150;  // "PAPU"
    std::uint32_t request = 0;
    std::uint32_t after = 0;      ///< the round of the state that the updates are to lead on from
    std::uint32_t in_flight = 1;  ///< chunks
    std::uint64_t max_bytes = 0;  ///< of all updates together
};

inline update_request parse_update_request(bytes from)
{
    const auto r = read_request<update_request>(from, "the message is no request for updates");
    if (r.in_flight < 1 || r.in_flight > span_plan::max_in_flight)
        throw bad_value(errc::bad_message, "the chunks in flight of a request for updates",
                        "1 to 256", r.in_flight);
    return r;
}

/// u8 number of updates, u64 size of each. None: the donor does not know what leads on.
inline std::vector<std::byte> encode_update_offer(const std::vector<std::uint64_t>& sizes)
{
    wire::detail::field_writer to;
    to.put(static_cast<std::uint8_t>(sizes.size()));
    for (const auto size : sizes) to.put(size);
    return to.take();
}

inline constexpr std::size_t max_update_offer = 1 + 8 * span_plan::max_spans;

/// Throws `errc::bad_message` if the updates have more than `max_bytes` together, too.
inline std::vector<std::uint64_t> parse_update_offer(bytes from, std::uint64_t max_bytes)
{
    wire::detail::field_reader fields(from);
    const auto n = fields.get<std::uint8_t>();
    if (n > span_plan::max_spans)
        throw bad_value(errc::bad_message, "the number of updates in an offer", "at most 64", n);
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 0; i < n; ++i) {
        sizes.push_back(fields.get<std::uint64_t>());
        if (sizes.back() > max_bytes)
            throw bad_value(errc::bad_message, "the bytes of an update",
                            "at most " + std::to_string(max_bytes) + " with those after it",
                            sizes.back());
        max_bytes -= sizes.back();
    }
    fields.expect_end();
    return sizes;
}

}  // namespace papilio::detail
