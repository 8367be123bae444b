#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/call_numbers.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/wire/tag.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

// clang-format off

/// Sends tagged messages between `size()` peers, of which this one is `rank()`.
///
/// `send` finishes when the message no longer needs the caller's buffer, which says nothing about
/// its arrival. `recv` returns the size of the oldest message from `peer` under `t`; it throws
/// `errc::too_large` when that message exceeds the buffer, and `errc::disconnected` or another
/// code when the link to `peer` has failed before the message arrived. Messages under one tag
/// arrive in the order they were sent; messages under different tags may overtake each other. Calls
/// have tags of their own, and a program's own messages go under `user_tag(number)`. A
/// message may arrive before a receive is posted for it, up to a limit of the transport's; the
/// `send` of one beyond that may last until its receive is posted, or `peer` discards its call.
/// Buffers must stay valid until the await returns or is dropped; a message whose `send` is dropped
/// arrives whole or not at all.
///
/// Optional members that the library uses when they exist:
/// - `call_numbers& calls()`: the numbers of the calls made on this transport, always the same
///   object; without it callers number their calls themselves, and each number serves once
/// - `task<std::size_t> recv(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent)`: a
///   message that its sender lends is not copied to `into`, but then in `lent`
/// - `bool post(int peer, tag t, bytes message)` sends a copy of a small message in the background,
///   ahead of those that wait, which are not under this tag; false if it cannot, as when the link
///   has failed
/// - `void begin_call(tag t)`: this attempt at the call that `t` belongs to begins here; others,
///   eight or more before or after it, need not be discarded any more, as tags come round
/// - `void discard_call(tag t)` discards all messages of the call that `t` belongs to, those that
///   arrive later among them; what other peers keep of this one's they may drop, but for a no
/// - `bool watch_call(tag t, gate& heard)` opens `heard` when a message of the kind `view` or
///   `answer` has come, or waits at its sender, of the call that `t` belongs to, and no receive
///   waits for it, until `void unwatch_call(const gate& heard)`, which comes before the gate goes;
///   false if it cannot
/// - `void leave_answer(tag t, std::vector<std::byte> answer)`: the call that `t` belongs to has
///   ended here. What concerns its later views is dropped, now and later, and a peer that has sent
///   a message of the kind `view`, or does so later, is sent `answer`, once over each link. The
///   last 1,024 are kept. Whoever discards the call, too, does so afterwards
/// - `void prioritise(tag t, int priority)`: messages of the call that `t` belongs to are sent
///   before all that wait and have a lower priority; the default is zero. It is set before the
///   first of them is sent, since those under one tag stay in order
/// - `time_point last_heard(int peer)`: when the last byte from `peer` arrived
/// - `duration heartbeat()`: every peer is sent a byte at least this often while its link is up, so
///   that one whose loop runs is heard as often; the same on all peers
/// - `std::uint64_t arrived(int peer)`: how many bytes `peer`'s host has acknowledged so far; a
///   `send` may finish long before
/// - `duration round_trip(int peer)`: the shortest round trip to `peer`'s host so far, unless none
///   has been measured; zero over shared memory
/// - `task<bool> shares_host(int peer)`: whether messages to and from `peer` stay within one
///   machine, which the two of them, and whoever shares the machine, all say alike; finishes when
///   that is known. Without it no peer does
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
    { net.calls() } -> std::same_as<call_numbers&>;
};

template <class T>
concept borrows_messages = requires(T& net, int peer, tag t, mutable_bytes in, lent_ptr& lent) {
    { net.recv(peer, t, in, lent) } -> std::same_as<task<std::size_t>>;
};

template <class T>
concept posts_messages = requires(T& net, int peer, tag t, bytes message) {
    { net.post(peer, t, message) } -> std::same_as<bool>;
};

template <class T>
concept discards_calls = requires(T& net, tag t) {
    { net.discard_call(t) } -> std::same_as<void>;
};

template <class T>
concept begins_calls = requires(T& net, tag t) {
    { net.begin_call(t) } -> std::same_as<void>;
};

template <class T>
concept watches_calls = requires(T& net, tag t, gate& heard) {
    { net.watch_call(t, heard) } -> std::same_as<bool>;
    { net.unwatch_call(heard) } -> std::same_as<void>;
};

template <class T>
concept answers_after_calls = requires(T& net, tag t, std::vector<std::byte> answer) {
    { net.leave_answer(t, std::move(answer)) } -> std::same_as<void>;
};

template <class T>
concept prioritises_calls = requires(T& net, tag t) {
    { net.prioritise(t, 1) } -> std::same_as<void>;
};

template <class T>
concept reports_last_heard = requires(T& net, int peer) {
    { net.last_heard(peer) } -> std::same_as<time_point>;
};

template <class T>
concept sends_heartbeats = requires(T& net) {
    { net.heartbeat() } -> std::convertible_to<std::optional<duration>>;
};

template <class T>
concept reports_arrivals = requires(T& net, int peer) {
    { net.arrived(peer) } -> std::convertible_to<std::optional<std::uint64_t>>;
};

template <class T>
concept reports_round_trips = requires(T& net, int peer) {
    { net.round_trip(peer) } -> std::convertible_to<std::optional<duration>>;
};

template <class T>
concept knows_hosts = requires(T& net, int peer) {
    { net.shares_host(peer) } -> std::same_as<task<bool>>;
};

// clang-format on

template <transport Net>
call_numbers* calls(Net& net)
{
    if constexpr (numbers_calls<Net>)
        return &net.calls();
    else
        return nullptr;
}

template <transport Net>
task<std::size_t> recv(Net& net, int peer, tag t, mutable_bytes into, lent_ptr& lent)
{
    if constexpr (borrows_messages<Net>)
        return net.recv(peer, t, into, lent);
    else
        return net.recv(peer, t, into);
}

template <transport Net>
bool post(Net& net, int peer, tag t, bytes message)
{
    if constexpr (posts_messages<Net>)
        return net.post(peer, t, message);
    else
        return false;
}

template <transport Net>
void begin_call(Net& net, tag t)
{
    if constexpr (begins_calls<Net>) net.begin_call(t);
}

template <transport Net>
void discard_call(Net& net, tag t)
{
    if constexpr (discards_calls<Net>) net.discard_call(t);
}

template <transport Net>
bool watch_call(Net& net, tag t, gate& heard)
{
    if constexpr (watches_calls<Net>)
        return net.watch_call(t, heard);
    else
        return false;
}

template <transport Net>
void unwatch_call(Net& net, const gate& heard)
{
    if constexpr (watches_calls<Net>) net.unwatch_call(heard);
}

template <transport Net>
void leave_answer(Net& net, tag t, std::vector<std::byte> answer)
{
    if constexpr (answers_after_calls<Net>) net.leave_answer(t, std::move(answer));
}

template <transport Net>
void prioritise(Net& net, tag t, int priority)
{
    if constexpr (prioritises_calls<Net>) net.prioritise(t, priority);
}

template <transport Net>
time_point last_heard(Net& net, int peer)
{
    if constexpr (reports_last_heard<Net>)
        return net.last_heard(peer);
    else
        return time_point::min();
}

template <transport Net>
std::optional<duration> heartbeat(Net& net)
{
    if constexpr (sends_heartbeats<Net>)
        return net.heartbeat();
    else
        return std::nullopt;
}

template <transport Net>
std::optional<std::uint64_t> arrived(Net& net, int peer)
{
    if constexpr (reports_arrivals<Net>)
        return net.arrived(peer);
    else
        return std::nullopt;
}

template <transport Net>
std::optional<duration> round_trip(Net& net, int peer)
{
    if constexpr (reports_round_trips<Net>)
        return net.round_trip(peer);
    else
        return std::nullopt;
}

inline task<bool> known(bool answer)
{
    co_return answer;
}

template <transport Net>
task<bool> shares_host(Net& net, int peer)
{
    if constexpr (knows_hosts<Net>)
        return net.shares_host(peer);
    else
        return known(false);
}

}  // namespace detail

}  // namespace papilio
