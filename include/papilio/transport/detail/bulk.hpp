#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Sends many bytes from one peer to another outside of calls: chunks under tags of their own, of
// which a bounded number is in flight. The receiver acknowledges each chunk with its checksum,
// which is the credit for another chunk and shows the sender what has arrived.
namespace papilio::inline PAPILIO_MODE::detail {

/// The parameters of one transfer, on which both sides agree before the first chunk.
struct bulk {
    control_service service{};
    std::uint32_t request = 0;
    std::size_t chunks = 0;
    std::size_t largest = 0;  ///< bytes of the largest chunk
    std::size_t window = 1;   ///< chunks in flight
    std::size_t after = 0;    ///< chunks that earlier transfers of the same request take up

    /// Lower indices name the request's other messages.
    static constexpr std::uint32_t first_index = 16;
    static constexpr std::size_t max_chunks = max_control_index - first_index;

    tag tag_for(std::size_t chunk) const noexcept
    {
        return control_tag(service, request,
                           first_index + static_cast<std::uint32_t>(after + chunk));
    }
};

/// When a transfer last made progress.
struct bulk_watch {
    time_point last{};
};

/// Sends chunks `slot`, `slot + window`, ..., one at a time. A source has
/// - `bytes chunk(std::size_t i, mutable_bytes scratch)`: chunk `i`, in `scratch` or elsewhere
/// - `void arrived(std::size_t i, std::uint64_t sum, time_point now)`: the receiver has chunk `i`
template <transport Net, class Source>
task<> send_slot(Net& net, int peer, bulk b, std::size_t slot, Source& source, bulk_watch& watch)
{
    std::vector<std::byte> scratch(b.largest);
    for (auto i = slot; i < b.chunks; i += b.window) {
        const bytes chunk = source.chunk(i, scratch);
        const auto sum = checksum(chunk);
        co_await net.send(peer, b.tag_for(i), chunk);
        watch.last = co_await now();
        std::array<std::byte, 8> acknowledgement{};
        const auto size = co_await net.recv(peer, b.tag_for(i), acknowledgement);
        if (size != acknowledgement.size() || load<std::uint64_t>(acknowledgement.data()) != sum)
            throw std::system_error(errc::mismatch, "peer " + std::to_string(peer) +
                                                        " acknowledged other bytes of chunk " +
                                                        std::to_string(i) + " than were sent");
        watch.last = co_await now();
        source.arrived(i, sum, watch.last);
    }
}

/// Receives the chunks of `send_slot`. A sink has
/// - `mutable_bytes destination(std::size_t i, mutable_bytes scratch)`: where to write chunk `i`,
///   exactly as large, in `scratch` or elsewhere
/// - `void arrived(std::size_t i, bytes chunk, std::uint64_t sum, time_point now)`: it is complete
template <transport Net, class Sink>
task<> receive_slot(Net& net, int peer, bulk b, std::size_t slot, Sink& sink, bulk_watch& watch)
{
    std::vector<std::byte> scratch(b.largest);
    for (auto i = slot; i < b.chunks; i += b.window) {
        const mutable_bytes chunk = sink.destination(i, scratch);
        const auto size = co_await net.recv(peer, b.tag_for(i), chunk);
        if (size != chunk.size())
            throw std::system_error(errc::bad_message,
                                    "chunk " + std::to_string(i) + " from peer " +
                                        std::to_string(peer) + " has " + std::to_string(size) +
                                        " bytes instead of " + std::to_string(chunk.size()));
        watch.last = co_await now();
        const auto sum = checksum(chunk);
        sink.arrived(i, chunk, sum, watch.last);
        std::array<std::byte, 8> acknowledgement;
        store(acknowledgement.data(), sum);
        co_await net.send(peer, b.tag_for(i), acknowledgement);
    }
}

template <transport Net, class Source>
task<> send_bulk(Net& net, int peer, bulk b, Source& source, bulk_watch& watch)
{
    std::vector<task<>> slots;
    for (std::size_t slot = 0; slot < std::min(b.window, b.chunks); ++slot)
        slots.push_back(send_slot<Net, Source>(net, peer, b, slot, source, watch));
    co_await when_all(std::move(slots));
}

template <transport Net, class Sink>
task<> receive_bulk(Net& net, int peer, bulk b, Sink& sink, bulk_watch& watch)
{
    std::vector<task<>> slots;
    for (std::size_t slot = 0; slot < std::min(b.window, b.chunks); ++slot)
        slots.push_back(receive_slot<Net, Sink>(net, peer, b, slot, sink, watch));
    co_await when_all(std::move(slots));
}

/// Never finishes. Throws `errc::timed_out` without progress for `stall_timeout`, or at
/// `deadline`.
inline task<> watch_bulk(const bulk_watch& watch, duration stall_timeout, time_point deadline)
{
    for (;;) {
        const auto due = std::min(later(watch.last, stall_timeout), deadline);
        const auto reached = co_await now();
        if (reached >= due)
            throw std::system_error(errc::timed_out, due == deadline
                                                         ? "a transfer reached its deadline"
                                                         : "a transfer made no progress");
        co_await sleep_until(due);
    }
}

/// Runs `work`, which reports its progress to `watch`, until it finishes or `watch_bulk` throws.
inline task<> watched(task<> work, bulk_watch& watch, duration stall_timeout, time_point deadline)
{
    watch.last = co_await now();
    co_await when_any(std::move(work), watch_bulk(watch, stall_timeout, deadline));
}

}  // namespace papilio::detail
