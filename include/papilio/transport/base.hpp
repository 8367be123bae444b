#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/wire/tag.hpp>

#include <concepts>
#include <cstdint>
#include <optional>

namespace papilio {

// clang-format off

/// Moves tagged messages between `size()` peers, of which this one is `rank()`.
///
/// `send` finishes when the message no longer needs the caller's buffer, which says nothing about
/// its arrival. `recv` gives the size of the oldest message from `peer` under `t`; it throws
/// `errc::too_large` when that message exceeds the buffer, and `errc::disconnected` or another
/// reason when the link to `peer` is gone and the message will not come. Messages under one tag
/// arrive in the order they were sent, others may overtake each other. A message may arrive before
/// anybody asks for it. Buffers stay valid until the await returns or is dropped; a dropped `send`
/// may or may not arrive, but never half.
///
/// Optional members that the library uses when they are there:
/// - `std::uint32_t next_call()` numbers the calls made on this transport: 1, 2, ...; without it
///   callers number their calls themselves
/// - `void retire(tag t)` drops all messages of the call that `t` belongs to, now and later
/// - `void prioritise(tag t, int priority)`: messages of the call that `t` belongs to leave before
///   all that wait and have a lower priority; zero unless told
/// - `time_point last_heard(int peer)` when the last byte came from `peer`
/// - `std::uint64_t arrived(int peer)` how many bytes have reached `peer`'s host so far, as far as
///   this one has been told; other than `send`, which may be done long before
/// - `duration round_trip(int peer)` the shortest time that anything has taken to `peer`'s host and
///   back so far, unless nothing is known of it; zero where memory is shared
template <class T>
concept transport = requires(T& net, int peer, tag t, bytes out, mutable_bytes in) {
    { net.rank() } -> std::same_as<int>;
    { net.size() } -> std::same_as<int>;
    { net.send(peer, t, out) } -> std::same_as<task<>>;
    { net.recv(peer, t, in) } -> std::same_as<task<std::size_t>>;
};

namespace detail {

template <class T>
concept numbers_calls = requires(T& net) {
    { net.next_call() } -> std::same_as<std::uint32_t>;
};

template <class T>
concept retires_calls = requires(T& net, tag t) {
    { net.retire(t) } -> std::same_as<void>;
};

template <class T>
concept prioritises_calls = requires(T& net, tag t) {
    { net.prioritise(t, 1) } -> std::same_as<void>;
};

template <class T>
concept knows_life = requires(T& net, int peer) {
    { net.last_heard(peer) } -> std::same_as<time_point>;
};

template <class T>
concept knows_arrivals = requires(T& net, int peer) {
    { net.arrived(peer) } -> std::convertible_to<std::optional<std::uint64_t>>;
};

template <class T>
concept knows_round_trips = requires(T& net, int peer) {
    { net.round_trip(peer) } -> std::convertible_to<std::optional<duration>>;
};

// clang-format on

template <transport Net>
std::uint32_t next_call(Net& net)
{
    if constexpr (numbers_calls<Net>)
        return net.next_call();
    else
        return 0;
}

template <transport Net>
void retire(Net& net, tag t)
{
    if constexpr (retires_calls<Net>) net.retire(t);
}

template <transport Net>
void prioritise(Net& net, tag t, int priority)
{
    if constexpr (prioritises_calls<Net>) net.prioritise(t, priority);
}

template <transport Net>
time_point last_heard(Net& net, int peer)
{
    if constexpr (knows_life<Net>)
        return net.last_heard(peer);
    else
        return time_point::min();
}

template <transport Net>
std::optional<std::uint64_t> arrived(Net& net, int peer)
{
    if constexpr (knows_arrivals<Net>)
        return net.arrived(peer);
    else
        return std::nullopt;
}

template <transport Net>
std::optional<duration> round_trip(Net& net, int peer)
{
    if constexpr (knows_round_trips<Net>)
        return net.round_trip(peer);
    else
        return std::nullopt;
}

}  // namespace detail

}  // namespace papilio
