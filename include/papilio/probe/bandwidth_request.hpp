#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/bulk.hpp>
#include <papilio/transport/request.hpp>
#include <papilio/wire/control.hpp>

#include <array>
#include <cstdint>

// What a verifier asks of a peer whose link it measures.
namespace papilio::inline PAPILIO_MODE::detail {

inline constexpr std::size_t probe_chunk = std::size_t{64} << 10;

/// The most chunks under way in a measurement: 32 MiB of a target's memory.
inline constexpr std::uint32_t max_probe_window = 512;

/// Chunks that move in one direction, and how many of them are under way at a time.
struct bandwidth_way {
    std::uint32_t chunks = 0;
    std::uint32_t window = 0;
};

/// Little-endian: u32 magic, u32 request, u32 chunks to the peer, u32 of them under way, u32 chunks
/// from the peer, u32 of them under way, 32 bytes of key. Both ways are taken at the same time, and
/// one of them may have no chunks.
struct bandwidth_request {
    std::uint32_t request = 0;
    bandwidth_way down;  ///< to the peer
    bandwidth_way up;    ///< from it
    secret_key key;      ///< of the bytes that the peer is to send

    static constexpr std::size_t encoded_size = 56;
    static constexpr std::uint32_t magic = 0x42504150;  // "PAPB"

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

inline std::array<std::byte, bandwidth_request::encoded_size> encode(const bandwidth_request& r)
{
    std::array<std::byte, bandwidth_request::encoded_size> to;
    store(to.data(), bandwidth_request::magic);
    store(to.data() + 4, r.request);
    store(to.data() + 8, r.down.chunks);
    store(to.data() + 12, r.down.window);
    store(to.data() + 16, r.up.chunks);
    store(to.data() + 20, r.up.window);
    store(to.data() + 24, r.key.words);
    return to;
}

inline bandwidth_request parse_bandwidth_request(bytes from)
{
    if (from.size() != bandwidth_request::encoded_size ||
        load<std::uint32_t>(from.data()) != bandwidth_request::magic)
        throw std::system_error(errc::bad_message, "not a request to measure");
    const auto field = [&](std::size_t i) { return load<std::uint32_t>(from.data() + 4 * i); };
    bandwidth_request r;
    r.request = field(1);
    r.down = {field(2), field(3)};
    r.up = {field(4), field(5)};
    r.key.words = load<std::array<std::uint32_t, 8>>(from.data() + 24);
    const auto chunks = std::uint64_t{r.down.chunks} + r.up.chunks;
    const auto sane = [](const bandwidth_way& w) {
        return w.window <= max_probe_window && w.window <= w.chunks &&
               (w.window > 0) == (w.chunks > 0);
    };
    if (!is_request_number(r.request) || chunks < 1 || chunks > bulk::max_chunks || !sane(r.down) ||
        !sane(r.up))
        throw std::system_error(errc::bad_message, "a measurement out of range");
    return r;
}

}  // namespace papilio::detail
