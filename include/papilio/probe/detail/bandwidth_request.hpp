#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/request.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

// The request to measure the bandwidth of a link.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t probe_chunk = std::size_t{64} << 10;

/// The most chunks under way each way: they take 32 MiB of the memory of the peer that is measured,
/// and 64 MiB where both ways are measured at the same time.
inline constexpr std::uint32_t max_probe_window = 512;

/// Chunks that move in one direction, and how many of them are under way at a time.
struct bandwidth_way {
    std::uint32_t chunks = 0;
    std::uint32_t window = 0;
};

/// Both ways are measured at the same time, and one of them may have no chunks.
struct bandwidth_request {
    std::uint32_t magic = 0x42504150;  // "PAPB"
    std::uint32_t request = 0;
    bandwidth_way down;  ///< to the peer
    bandwidth_way up;    ///< from the peer
    secret_key key;      ///< of the bytes that the peer is to send

    bulk plan_down() const noexcept
    {
        return {control_service::bandwidth, request, down.chunks, probe_chunk, down.window};
    }
    bulk plan_up() const noexcept
    {
        return {
            control_service::bandwidth, request, up.chunks, probe_chunk, up.window, down.chunks};
    }
};

inline bandwidth_request parse_bandwidth_request(bytes from)
{
    const auto r =
        read_request<bandwidth_request>(from, "the message is no request for a measurement");
    const auto chunks = std::uint64_t{r.down.chunks} + r.up.chunks;
    if (chunks < 1 || chunks > bulk::max_chunks)
        throw bad_value(errc::bad_message, "the number of chunks of a measurement",
                        "1 to " + std::to_string(bulk::max_chunks), chunks);
    for (const auto& w : {r.down, r.up}) {
        const auto least = std::min(w.chunks, 1u);
        const auto most = std::min(w.chunks, max_probe_window);
        if (w.window < least || w.window > most)
            throw bad_value(
                errc::bad_message,
                "the window of a measurement with " + std::to_string(w.chunks) + " chunks one way",
                std::to_string(least) + " to " + std::to_string(most), w.window);
    }
    return r;
}

}  // namespace papilio::detail
