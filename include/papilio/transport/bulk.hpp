#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/checksum.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// Many bytes from one peer to another outside of calls: chunks under tags of their own, of which a
// bounded number is under way. The receiver answers each chunk by its checksum, which is the credit
// for another and shows the sender what has arrived.
namespace papilio::detail {

/// What both sides know before the first chunk.
struct bulk {
    control_service service{};
    std::uint32_t request = 0;
    std::size_t chunks = 0;
    std::size_t largest = 0;  ///< bytes of a chunk
    std::size_t window = 1;   ///< chunks under way

    std::size_t after = 0;  ///< chunks of the request that have a plan of their own

    static constexpr std::uint32_t first_index =
        16;  ///< those below name the request's other parts
    static constexpr std::size_t max_chunks = max_control_index - first_index;

    tag name(std::size_t chunk) const noexcept
    {
        return control_tag(service, request,
                           first_index + static_cast<std::uint32_t>(after + chunk));
    }
};

/// When something last moved, for the one who watches that it does.
struct bulk_watch {
    time_point last{};
};

/// Chunks `lane`, `lane + window`, ... A source has
/// - `bytes chunk(std::size_t i, mutable_bytes scratch)`: chunk `i`, in `scratch` or elsewhere
/// - `void arrived(std::size_t i, std::uint64_t sum, time_point now)`: the receiver has it
template <transport Net, class Source>
task<> send_lane(Net& net, int peer, bulk b, std::size_t lane, Source& source, bulk_watch& watch)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> scratch(b.largest);
    for (auto i = lane; i < b.chunks; i += b.window) {
        const bytes chunk = source.chunk(i, scratch);
        const auto sum = checksum(chunk);
        co_await net.send(peer, b.name(i), chunk);
        watch.last = on.now();
        std::array<std::byte, 8> receipt{};
        const auto size = co_await net.recv(peer, b.name(i), receipt);
        if (size != receipt.size() || load<std::uint64_t>(receipt.data()) != sum)
            throw std::system_error(errc::mismatch, "a receipt for other bytes than were sent");
        watch.last = on.now();
        source.arrived(i, sum, watch.last);
    }
}

/// A sink has
/// - `mutable_bytes room(std::size_t i, mutable_bytes scratch)`: where chunk `i` belongs; as long
/// - `void arrived(std::size_t i, bytes chunk, std::uint64_t sum, time_point now)`: it is there
template <transport Net, class Sink>
task<> receive_lane(Net& net, int peer, bulk b, std::size_t lane, Sink& sink, bulk_watch& watch)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> scratch(b.largest);
    for (auto i = lane; i < b.chunks; i += b.window) {
        const mutable_bytes room = sink.room(i, scratch);
        const auto size = co_await net.recv(peer, b.name(i), room);
        if (size != room.size()) throw std::system_error(errc::bad_message, "a chunk is too short");
        watch.last = on.now();
        const auto sum = checksum(room);
        sink.arrived(i, room, sum, watch.last);
        std::array<std::byte, 8> receipt;
        store(receipt.data(), sum);
        co_await net.send(peer, b.name(i), receipt);
    }
}

template <transport Net, class Source>
task<> send_bulk(Net& net, int peer, bulk b, Source& source, bulk_watch& watch)
{
    std::vector<task<>> lanes;
    for (std::size_t lane = 0; lane < std::min(b.window, b.chunks); ++lane)
        lanes.push_back(send_lane<Net, Source>(net, peer, b, lane, source, watch));
    co_await when_all(std::move(lanes));
}

template <transport Net, class Sink>
task<> receive_bulk(Net& net, int peer, bulk b, Sink& sink, bulk_watch& watch)
{
    std::vector<task<>> lanes;
    for (std::size_t lane = 0; lane < std::min(b.window, b.chunks); ++lane)
        lanes.push_back(receive_lane<Net, Sink>(net, peer, b, lane, sink, watch));
    co_await when_all(std::move(lanes));
}

/// Never finishes; throws `errc::timed_out` when nothing has moved for `patience`, or at
/// `deadline`.
inline task<> watch_bulk(const bulk_watch& watch, duration patience, time_point deadline)
{
    loop& on = co_await this_loop{};
    for (;;) {
        const auto due = std::min(watch.last + patience, deadline);
        if (on.now() >= due) throw std::system_error(errc::timed_out);
        co_await sleep_until(due);
    }
}

/// Runs `work` under the eye of `watch_bulk`.
inline task<> watched(task<> work, bulk_watch& watch, duration patience, time_point deadline)
{
    loop& on = co_await this_loop{};
    watch.last = on.now();
    std::vector<task<>> both;
    both.push_back(std::move(work));
    both.push_back(watch_bulk(watch, patience, deadline));
    co_await when_any(std::move(both));
}

}  // namespace papilio::detail
