#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/call_priorities.hpp>
#include <papilio/transport/detail/connection.hpp>
#include <papilio/transport/detail/stream_choice.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio {

/// How every mesh behaves, whatever its streams run over. Peers agree on `group`.
struct mesh_options {
    std::uint64_t group = 0;  ///< callers from another group are turned away
    int max_peers = 0;        ///< ranks beyond are turned away; 0: those named at the start are all
    std::size_t max_message = std::size_t{64} << 20;  ///< a larger one ends the link
    std::size_t early_limit = std::size_t{64} << 20;  ///< kept per peer before it is asked for
    bool adaptive = false;                            ///< streams are used as far as they gain
    duration heartbeat = std::chrono::seconds(1);     ///< how often a quiet stream shows life
    duration idle_timeout = {};                       ///< without a byte, a link ends; zero: never
    duration unacked_timeout = std::chrono::seconds(30);   ///< nothing acknowledged, a link ends
    duration handshake_timeout = std::chrono::seconds(5);  ///< of a connection not yet known
};
static_assert(std::is_trivially_destructible_v<mesh_options>);

/// What the transports have in common that consist of links between every two peers: dialling,
/// strangers, signs of life, loss, farewell. Of two peers, the one with the higher rank dials,
/// unless the other cannot be dialled. Belongs to `on`; must outlive the tasks that use it.
///
/// The medium is what links run over:
/// - `address`: where a peer is found
/// - `bool reaches(const address& from, const address& to)`: whether one can dial the other
/// - `std::string text(const address&)`
/// - `void listen(const address& own, std::function<task<>(std::unique_ptr<incoming>)> welcome)`
/// - `address local()`: where this peer listens, as others find it
/// - `task<std::unique_ptr<byte_stream>> dial(const address&, wire::hello)`: one attempt
template <class Medium>
class mesh {
public:
    using address = typename Medium::address;

    mesh(const mesh&) = delete;
    mesh& operator=(const mesh&) = delete;

    int rank() const noexcept { return rank_; }
    int size() const noexcept { return static_cast<int>(links_.size()); }

    /// Where this peer listens, with what the system chose where it was asked to.
    address local() const { return medium_.local(); }

    /// Tells where a peer listens that was not known before.
    void set_address(int peer, address at) { link_to(peer).at = std::move(at); }

    /// Finishes when the links to `peers`, or to all, stand. Throws `errc::timed_out` and names the
    /// first peer that is missing when the loop's clock has advanced by `patience`.
    task<> connect(std::vector<int> peers, duration patience = std::chrono::seconds(30));
    task<> connect(duration patience = std::chrono::seconds(30));

    task<> send(int peer, tag t, bytes message);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into);

    std::uint32_t next_call() noexcept { return ++calls_; }
    void retire(tag t) { inbox_.discard_call(t); }
    void prioritise(tag t, int priority) { priorities_.set(t, priority); }
    time_point last_heard(int peer) { return link_to(peer).last_heard; }

    /// Bytes, frames included, of which `peer`'s host has said that they are there.
    std::uint64_t arrived(int peer);
    std::optional<duration> round_trip(int peer);

    /// True while the link to `peer` stands.
    bool connected(int peer) { return link_to(peer).up.is_open() && !link_to(peer).end; }

    /// What the link to `peer` runs over, "tcp" or "shm"; empty while there is none.
    std::string kind(int peer)
    {
        return connected(peer) ? link_to(peer).connections.front()->kind() : "";
    }

    /// Says farewell to every peer, after all that waits to be sent, and finishes when they have
    /// answered, at the latest after `patience`. Without it, the last messages before the
    /// transport's end may be lost.
    task<> close(duration patience = std::chrono::seconds(2));

protected:
    /// Peer `i` listens at `peers[i]`. Throws the system's error when this peer's own address
    /// cannot be listened at.
    mesh(loop& on, Medium medium, int rank, std::vector<address> peers, mesh_options o);
    ~mesh() = default;

private:
    /// The streams with one peer: all of them, or the link is down.
    struct link final : detail::connection_owner {
        link(mesh& n, int p) : net(n), peer(p) {}
        void on_bytes() override { last_heard = net.loop_.now(); }
        void on_end(std::error_code why) override { net.lost_one(*this, why); }
        void on_peer_shutdown() override { net.parting(*this); }
        bool has(std::size_t index) const
        {
            return index < connections.size() && connections[index];
        }

        mesh& net;
        int peer;
        address at;
        std::vector<std::unique_ptr<detail::connection>> connections;
        std::optional<detail::stream_choice> choice;
        gate up;
        gate quiet;  // both sides have said farewell, or the link is down
        std::error_code end;
        std::error_code trouble;  // why the last attempt to dial failed
        std::size_t farewells = 0;
        time_point last_heard{};
    };

    link& link_to(int peer);
    link& other(int peer);
    bool dials(const link& l) const;
    task<> dial(link& l);
    task<> dial_one(link& l, std::uint32_t index);
    task<> reach(link& l);
    task<> welcome(std::unique_ptr<incoming> from);
    bool expected(const wire::hello& h, std::uint32_t streams);
    void install(link& l, std::uint32_t index, std::unique_ptr<byte_stream> s);
    void drop(link& l, std::error_code why);
    void lost_one(link& l, std::error_code why);
    void parting(link& l);
    void farewell(link& l);
    task<> part(link& l);
    task<> watch();
    static task<> all(std::vector<task<>> tasks) { co_await when_all(std::move(tasks)); }

    loop& loop_;
    int rank_;
    mesh_options options_;
    std::uint32_t calls_ = 0;
    bool closing_ = false;
    mailbox inbox_;
    detail::call_priorities priorities_;
    std::vector<std::unique_ptr<link>> links_;
    Medium medium_;
    task<> watch_ = watch();
};

template <class Medium>
mesh<Medium>::mesh(loop& on, Medium medium, int rank, std::vector<address> peers, mesh_options o)
    : loop_(on), rank_(rank), options_(o), inbox_(o.early_limit), medium_(std::move(medium))
{
    const int named = static_cast<int>(peers.size());
    if (o.max_peers == 0) options_.max_peers = named;
    if (rank < 0 || rank >= named)
        throw std::system_error(errc::bad_argument,
                                "a transport needs an address for its own rank");
    if (named > options_.max_peers || o.heartbeat <= duration{} ||
        (o.idle_timeout > duration{} && o.idle_timeout <= o.heartbeat) ||
        o.max_message > std::numeric_limits<std::uint32_t>::max())
        throw std::system_error(errc::bad_argument,
                                "a transport's options need room for all peers, a heartbeat, no "
                                "silence or a longer one, and messages below 4 GiB");
    for (std::size_t i = 0; i < peers.size(); ++i)
        set_address(static_cast<int>(i), std::move(peers[i]));
    medium_.listen(links_[static_cast<std::size_t>(rank)]->at,
                   [this](std::unique_ptr<incoming> c) { return welcome(std::move(c)); });
    watch_.start(loop_);
}

template <class Medium>
auto mesh<Medium>::link_to(int peer) -> link&
{
    if (peer < 0 || peer >= options_.max_peers)
        throw std::system_error(errc::bad_argument, "no such peer: " + std::to_string(peer));
    while (size() <= peer) links_.push_back(std::make_unique<link>(*this, size()));
    return *links_[static_cast<std::size_t>(peer)];
}

template <class Medium>
auto mesh<Medium>::other(int peer) -> link&
{
    if (peer == rank_)
        throw std::system_error(errc::bad_argument, "a peer exchanges messages with others");
    return link_to(peer);
}

template <class Medium>
task<> mesh<Medium>::connect(duration patience)
{
    std::vector<int> everybody;
    for (int peer = 0; peer < size(); ++peer) everybody.push_back(peer);
    return connect(std::move(everybody), patience);
}

template <class Medium>
task<> mesh<Medium>::connect(std::vector<int> peers, duration patience)
{
    std::vector<task<>> ways;
    for (const int peer : peers)
        if (peer != rank_) ways.push_back(reach(link_to(peer)));
    task<> work = all(std::move(ways));
    bool late = false;
    try {
        co_await timeout(std::move(work), loop_.now() + patience);
    } catch (const std::system_error& failure) {
        if (failure.code() != errc::timed_out) throw;
        late = true;
    }
    if (!late) co_return;
    for (const int peer : peers) {
        if (peer == rank_ || connected(peer)) continue;
        const link& l = link_to(peer);
        throw std::system_error(
            errc::timed_out,
            "no connection with peer " + std::to_string(peer) +
                (medium_.reaches(local(), l.at) ? " at " + medium_.text(l.at) : "") +
                (l.trouble ? ": " + l.trouble.message() : ""));
    }
}

template <class Medium>
std::uint64_t mesh<Medium>::arrived(int peer)
{
    std::uint64_t sum = 0;
    for (const auto& c : link_to(peer).connections)
        if (c) sum += c->arrived();
    return sum;
}

template <class Medium>
std::optional<duration> mesh<Medium>::round_trip(int peer)
{
    std::optional<duration> shortest;
    for (const auto& c : link_to(peer).connections) {
        const auto taken = c ? c->round_trip() : std::nullopt;
        if (taken && (!shortest || *taken < *shortest)) shortest = taken;
    }
    return shortest;
}

template <class Medium>
bool mesh<Medium>::dials(const link& l) const
{
    if (!medium_.reaches(local(), l.at)) return false;
    return !medium_.reaches(l.at, local()) || rank_ > l.peer;
}

template <class Medium>
task<> mesh<Medium>::reach(link& l)
{
    if (dials(l) && !l.up.is_open()) {
        co_await dial(l);
    } else {
        co_await l.up.opened();
    }
    if (l.end) throw std::system_error(l.end, "peer " + std::to_string(l.peer));
}

/// The first stream tells of how many the link consists.
template <class Medium>
task<> mesh<Medium>::dial(link& l)
{
    co_await dial_one(l, 0);
    std::vector<task<>> others;
    for (std::size_t i = 1; i < l.connections.size(); ++i)
        others.push_back(dial_one(l, static_cast<std::uint32_t>(i)));
    co_await when_all(std::move(others));
}

/// Tries until the stream stands, perhaps by another call's doing, or the link is down: the other
/// side may not have started yet.
template <class Medium>
task<> mesh<Medium>::dial_one(link& l, std::uint32_t index)
{
    wire::hello h;
    h.group = options_.group;
    h.from = static_cast<std::uint32_t>(rank_);
    h.to = static_cast<std::uint32_t>(l.peer);
    h.connection = index;
    duration pause = std::chrono::milliseconds(10);
    while (!l.end && !l.has(index)) {
        std::unique_ptr<byte_stream> made;
        try {
            task<std::unique_ptr<byte_stream>> attempt = medium_.dial(l.at, h);
            made = co_await timeout(std::move(attempt), loop_.now() + options_.handshake_timeout);
        } catch (const std::system_error& failure) {
            l.trouble = failure.code();
        }
        if (made) {
            install(l, index, std::move(made));
            co_return;
        }
        co_await sleep_for(pause);
        pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
    }
}

/// Lets everybody in who knows the group.
template <class Medium>
task<> mesh<Medium>::welcome(std::unique_ptr<incoming> from)
{
    const std::unique_ptr<incoming> who = std::move(from);  // turned away when this ends
    wire::hello h;
    std::unique_ptr<byte_stream> made;
    try {
        task<wire::hello> heard = who->read_hello();
        h = co_await timeout(std::move(heard), loop_.now() + options_.handshake_timeout);
        if (!expected(h, who->streams())) co_return;
        task<std::unique_ptr<byte_stream>> answer = who->accept();
        made = co_await timeout(std::move(answer), loop_.now() + options_.handshake_timeout);
    } catch (const std::system_error&) {
        co_return;  // a stranger, or a peer that will dial again
    }
    if (expected(h, who->streams()))
        install(link_to(static_cast<int>(h.from)), h.connection, std::move(made));
}

template <class Medium>
bool mesh<Medium>::expected(const wire::hello& h, std::uint32_t streams)
{
    if (closing_ || h.group != options_.group || h.to != static_cast<std::uint32_t>(rank_) ||
        h.connections != streams || h.connection >= streams || h.from == h.to ||
        h.from >= static_cast<std::uint32_t>(options_.max_peers))
        return false;
    const link& l = link_to(static_cast<int>(h.from));
    const bool another_way = !l.connections.empty() && l.connections.size() != streams;
    return !l.end && !another_way && !l.has(h.connection);
}

template <class Medium>
void mesh<Medium>::install(link& l, std::uint32_t index, std::unique_ptr<byte_stream> s)
{
    if (l.end || l.has(index)) return;
    if (l.connections.empty()) {
        l.connections.resize(s->streams());
        if (options_.adaptive) l.choice.emplace(l.connections.size());
    }
    if (index >= l.connections.size()) return;
    l.last_heard = loop_.now();
    l.connections[index] = std::make_unique<detail::connection>(loop_, std::move(s), inbox_, l.peer,
                                                                options_.max_message, l);
    if (std::ranges::all_of(l.connections, [](const auto& c) { return !!c; })) l.up.open();
}

/// A link is as good as its worst stream.
template <class Medium>
void mesh<Medium>::drop(link& l, std::error_code why)
{
    if (l.end) return;
    l.end = why;
    for (auto& c : l.connections)
        if (c) c->end(why);
    inbox_.close(l.peer, why);
    l.up.open();
    l.quiet.open();
}

template <class Medium>
task<> mesh<Medium>::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::shutdown, "the two highest tags are the transport's own");
    link& l = other(peer);
    if (message.size() > options_.max_message)
        throw std::system_error(errc::too_large, "raise the option max_message on all peers");
    co_await l.up.opened();
    if (l.end) throw std::system_error(l.end);
    const auto mixed = static_cast<std::uint64_t>(t) * 0x9e3779b97f4a7c15u >> 32;
    const auto streams = l.choice ? l.choice->streams(t, loop_.now()) : l.connections.size();
    auto& chosen = *l.connections[mixed % streams];
    co_await chosen.send(t, message, priorities_.of(t));
    if (l.choice) l.choice->sent(t, message.size(), loop_.now());
}

template <class Medium>
task<std::size_t> mesh<Medium>::recv(int peer, tag t, mutable_bytes into)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into);
}

/// A link ends with its first stream; but where that has said farewell, the others still hold what
/// was sent before theirs.
template <class Medium>
void mesh<Medium>::lost_one(link& l, std::error_code why)
{
    const auto stands_or_parted = [](const auto& c) {
        return !c || !c->ended() || c->peer_shut_down();
    };
    const bool parting = l.farewells > 0 && l.farewells < l.connections.size();
    if (parting && std::ranges::all_of(l.connections, stands_or_parted)) return;
    drop(l, why);
}

/// The other side will send nothing more; once that is true of every stream, we need not either.
template <class Medium>
void mesh<Medium>::parting(link& l)
{
    if (++l.farewells < l.connections.size()) return;
    inbox_.close(l.peer, errc::disconnected);
    if (!closing_) farewell(l);
    l.quiet.open();
}

template <class Medium>
void mesh<Medium>::farewell(link& l)
{
    for (auto& c : l.connections)
        if (c) c->send_control(wire::shutdown);
}

template <class Medium>
task<> mesh<Medium>::close(duration patience)
{
    closing_ = true;
    std::vector<task<>> partings;
    for (auto& l : links_)
        if (l->up.is_open() && !l->end) partings.push_back(part(*l));
    bool late = false;
    try {
        task<> work = all(std::move(partings));
        co_await timeout(std::move(work), loop_.now() + patience);
    } catch (const std::system_error&) {
        late = true;  // whoever has not answered by now never will
    }
    for (auto& l : links_) {
        const bool open = l->up.is_open() && !l->end;
        if (open) drop(*l, late ? errc::timed_out : errc::disconnected);
    }
}

/// Finishes when both sides have said farewell, ours after all that waits to be sent.
template <class Medium>
task<> mesh<Medium>::part(link& l)
{
    const auto say = [](detail::connection& c) -> task<> { co_await c.send(wire::shutdown, {}); };
    std::vector<task<>> ours;
    for (auto& c : l.connections) ours.push_back(say(*c));
    try {
        co_await when_all(std::move(ours));
        co_await l.quiet.opened();
    } catch (const std::system_error&) {
        // the link is down, which parts us too
    }
}

/// Sends signs of life, and ends links that show none. A peer is not blamed for a time in which
/// this loop itself stood still.
template <class Medium>
task<> mesh<Medium>::watch()
{
    auto watching_since = loop_.now();
    for (;;) {
        const auto due = loop_.now() + options_.heartbeat;
        co_await sleep_until(due);
        if (loop_.now() > due + options_.heartbeat) watching_since = loop_.now();
        for (auto& l : links_) {
            if (closing_ || !l->up.is_open() || l->end) continue;
            for (auto& c : l->connections)
                if (c->drained()) c->send_control(wire::heartbeat);
            const auto since = std::max(l->last_heard, watching_since);
            if (options_.idle_timeout > duration{} && loop_.now() > since + options_.idle_timeout)
                drop(*l, errc::silent);
            const bool watched = loop_.now() > watching_since + options_.unacked_timeout;
            const auto lost = [&](auto& c) {
                return c->unacknowledged() > options_.unacked_timeout;
            };
            if (watched && !l->end && std::ranges::any_of(l->connections, lost))
                drop(*l, errc::silent);
        }
    }
}

}  // namespace papilio
