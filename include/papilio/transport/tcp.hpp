#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/transport/tcp/connection.hpp>
#include <papilio/transport/tcp/handshake.hpp>
#include <papilio/transport/tcp/reception.hpp>
#include <papilio/transport/tcp/socket.hpp>

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

namespace papilio::tcp {

/// How a peer's connections behave. Peers of a group must agree on `group` and `connections`.
struct options {
    std::uint64_t group = 0;  ///< connections of another group are turned away
    int connections = 1;      ///< per pair of peers; messages are spread over them by tag
    int max_peers = 0;        ///< ranks beyond are turned away; 0: those named at the start are all
    std::size_t max_message = std::size_t{64} << 20;  ///< a larger one ends the link
    std::size_t early_limit = std::size_t{64} << 20;  ///< kept per peer before it is asked for

    /// TCP's congestion control: "cubic", "bbr", ...; null: the system's. Borrowed for as long as
    /// the transport lives.
    const char* congestion = nullptr;

    /// A sign of life goes out this often on a connection that is otherwise quiet. Not zero.
    duration heartbeat = std::chrono::seconds(1);

    /// A link ends after so long without a byte; zero: never, while the other host lives. Signs of
    /// life need a running loop: leave it at zero where a peer's loop stands still between calls.
    /// Else longer than the heartbeat.
    duration silence = {};

    /// A link ends when the other host, whatever its program does, has not acknowledged what was
    /// sent for so long: it is gone, or the way to it.
    duration vanished = std::chrono::seconds(30);

    duration handshake = std::chrono::seconds(5);  ///< strangers get no longer to say who they are
};
static_assert(std::is_trivially_destructible_v<options>);

/// One peer of a mesh of TCP connections. Of two peers, the one with the higher rank dials, unless
/// the other cannot be dialled. Belongs to `on`; must outlive the tasks that use it.
class transport {
public:
    /// Peer `i` listens at `peers[i]`; an empty host marks a peer that cannot be dialled. Throws
    /// the system's error when this peer's own endpoint cannot be listened at.
    transport(asio_loop& on, int rank, std::vector<endpoint> peers, options o = {});
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;

    int rank() const noexcept { return rank_; }
    int size() const noexcept { return static_cast<int>(links_.size()); }

    /// Where this peer listens, with the port that the system chose if it was asked to.
    endpoint local() const;

    /// Tells where a peer listens that was not known before.
    void introduce(int peer, endpoint at);

    /// Finishes when the links to `peers`, or to all, stand. Throws `errc::timed_out` and names the
    /// first peer that is missing when the loop's clock has advanced by `patience`.
    task<> connect(std::vector<int> peers, duration patience = std::chrono::seconds(30));
    task<> connect(duration patience = std::chrono::seconds(30));

    task<> send(int peer, tag t, bytes message);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into);

    std::uint32_t next_round() noexcept { return ++round_; }
    void retire(tag t) { inbox_.retire(t); }
    time_point last_heard(int peer) { return link_to(peer).last_heard; }

    /// True while the link to `peer` stands.
    bool connected(int peer) { return link_to(peer).up.is_open() && !link_to(peer).end; }

    /// Says farewell to every peer, after all that waits to be sent, and finishes when they have
    /// answered, at the latest after `patience`. Without it, the last messages before the
    /// transport's end may be lost.
    task<> close(duration patience = std::chrono::seconds(2));

private:
    /// The connections with one peer: all of them, or the link is down.
    struct link final : detail::connection_owner {
        link(transport& n, int p) : net(n), peer(p) {}
        void heard() override { last_heard = net.loop_.now(); }
        void ended(std::error_code why) override;
        void said_farewell() override;
        bool has(std::size_t index) const
        {
            return index < connections.size() && connections[index];
        }

        transport& net;
        int peer;
        endpoint at;
        std::vector<std::unique_ptr<detail::connection>> connections;
        gate up;
        gate quiet;  // both sides have said farewell, or the link is down
        std::error_code end;
        std::error_code trouble;  // why the last attempt to dial failed
        int farewells = 0;
        time_point last_heard{};
    };

    link& link_to(int peer);
    link& other(int peer);
    bool dials(const link& l) const;
    task<> dial(link& l);
    task<> dial_one(link& l, std::uint32_t index);
    task<> reach(link& l);
    task<> welcome(detail::socket from);
    bool expected(const wire::hello& h);
    void install(link& l, std::uint32_t index, detail::socket s);
    void drop(link& l, std::error_code why);
    void farewell(link& l);
    task<> part(link& l);
    task<> watch();
    static task<> all(std::vector<task<>> tasks) { co_await when_all(std::move(tasks)); }

    asio_loop& loop_;
    int rank_;
    options options_;
    std::uint32_t round_ = 0;
    bool closing_ = false;
    mailbox inbox_;
    std::vector<std::unique_ptr<link>> links_;
    std::optional<detail::reception> reception_;
    task<> watch_ = watch();
};

inline transport::transport(asio_loop& on, int rank, std::vector<endpoint> peers, options o)
    : loop_(on), rank_(rank), options_(o), inbox_(o.early_limit)
{
    const int named = static_cast<int>(peers.size());
    if (o.max_peers == 0) options_.max_peers = named;
    if (rank < 0 || rank >= named)
        throw std::system_error(errc::bad_argument,
                                "tcp::transport needs an endpoint for its own rank");
    if (o.connections < 1 || named > options_.max_peers || o.heartbeat <= duration{} ||
        (o.silence > duration{} && o.silence <= o.heartbeat) ||
        o.max_message > std::numeric_limits<std::uint32_t>::max())
        throw std::system_error(errc::bad_argument,
                                "tcp::options need connections, room for all peers, a heartbeat, "
                                "no silence or a longer one, and messages below 4 GiB");
    if (o.congestion) {
        detail::socket unused(on.context(), asio::ip::tcp::v4());
        detail::choose_congestion(unused, o.congestion);
    }
    for (std::size_t i = 0; i < peers.size(); ++i)
        introduce(static_cast<int>(i), std::move(peers[i]));
    const endpoint& own = links_[static_cast<std::size_t>(rank)]->at;
    if (!own.host.empty())
        reception_.emplace(on, own, [this](detail::socket s) { return welcome(std::move(s)); });
    watch_.start(loop_);
}

inline endpoint transport::local() const
{
    auto at = links_[static_cast<std::size_t>(rank_)]->at;
    if (reception_) at.port = reception_->local().port;
    return at;
}

inline void transport::introduce(int peer, endpoint at)
{
    link_to(peer).at = std::move(at);
}

inline transport::link& transport::link_to(int peer)
{
    if (peer < 0 || peer >= options_.max_peers)
        throw std::system_error(errc::bad_argument, "no such peer: " + std::to_string(peer));
    while (size() <= peer) links_.push_back(std::make_unique<link>(*this, size()));
    return *links_[static_cast<std::size_t>(peer)];
}

inline transport::link& transport::other(int peer)
{
    if (peer == rank_)
        throw std::system_error(errc::bad_argument, "a peer exchanges messages with others");
    return link_to(peer);
}

inline task<> transport::connect(duration patience)
{
    std::vector<int> everybody;
    for (int peer = 0; peer < size(); ++peer) everybody.push_back(peer);
    return connect(std::move(everybody), patience);
}

inline task<> transport::connect(std::vector<int> peers, duration patience)
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
        throw std::system_error(errc::timed_out,
                                "no connection with peer " + std::to_string(peer) +
                                    (l.at.host.empty() ? "" : " at " + to_string(l.at)) +
                                    (l.trouble ? ": " + l.trouble.message() : ""));
    }
}

inline bool transport::dials(const link& l) const
{
    if (l.at.host.empty()) return false;
    const bool can_be_dialled = !links_[static_cast<std::size_t>(rank_)]->at.host.empty();
    return !can_be_dialled || rank_ > l.peer;
}

inline task<> transport::reach(link& l)
{
    if (dials(l) && !l.up.is_open()) {
        co_await dial(l);
    } else {
        co_await l.up.opened();
    }
    if (l.end) throw std::system_error(l.end, "peer " + std::to_string(l.peer));
}

inline task<> transport::dial(link& l)
{
    std::vector<task<>> ways;
    for (int i = 0; i < options_.connections; ++i)
        ways.push_back(dial_one(l, static_cast<std::uint32_t>(i)));
    co_await when_all(std::move(ways));
}

/// Tries until the connection stands, perhaps by another call's doing, or the link is down: the
/// other side may not have started yet.
inline task<> transport::dial_one(link& l, std::uint32_t index)
{
    const wire::hello h{options_.group, static_cast<std::uint32_t>(rank_),
                        static_cast<std::uint32_t>(l.peer), index,
                        static_cast<std::uint32_t>(options_.connections)};
    duration pause = std::chrono::milliseconds(10);
    while (!l.end && !l.has(index)) {
        detail::socket s(loop_.context());
        bool good = false;
        try {
            task<> attempt = detail::introduce_oneself(s, l.at, h, options_.congestion);
            co_await timeout(std::move(attempt), loop_.now() + options_.handshake);
            good = true;
        } catch (const std::system_error& failure) {
            l.trouble = failure.code();
        }
        if (good) {
            install(l, index, std::move(s));
            co_return;
        }
        co_await sleep_for(pause);
        pause = std::min<duration>(pause * 2, std::chrono::seconds(1));
    }
}

/// Lets everybody in who knows the group.
inline task<> transport::welcome(detail::socket from)
{
    detail::socket s = std::move(from);  // closes when this ends, `from` when its frame dies
    wire::hello h;
    try {
        detail::tune(s, options_.congestion);
        task<wire::hello> heard = detail::hear_hello(s);
        h = co_await timeout(std::move(heard), loop_.now() + options_.handshake);
        if (!expected(h)) co_return;
        task<> answer = detail::exchange_welcome(s);
        co_await timeout(std::move(answer), loop_.now() + options_.handshake);
    } catch (const std::system_error&) {
        co_return;  // a stranger, or a peer that will dial again
    }
    link& l = link_to(static_cast<int>(h.from));
    install(l, h.connection, std::move(s));
}

inline bool transport::expected(const wire::hello& h)
{
    if (closing_ || h.group != options_.group || h.to != static_cast<std::uint32_t>(rank_) ||
        h.connections != static_cast<std::uint32_t>(options_.connections) ||
        h.connection >= h.connections || h.from == h.to ||
        h.from >= static_cast<std::uint32_t>(options_.max_peers))
        return false;
    const link& l = link_to(static_cast<int>(h.from));
    return !l.end && !l.has(h.connection);
}

inline void transport::install(link& l, std::uint32_t index, detail::socket s)
{
    if (l.end || l.has(index)) return;
    l.connections.resize(static_cast<std::size_t>(options_.connections));
    l.last_heard = loop_.now();
    auto& slot = l.connections[index];
    slot = std::make_unique<detail::connection>(loop_, std::move(s), inbox_, l.peer,
                                                options_.max_message, l);
    if (std::ranges::all_of(l.connections, [](const auto& c) { return !!c; })) l.up.open();
}

/// A link is as good as its worst connection.
inline void transport::drop(link& l, std::error_code why)
{
    if (l.end) return;
    l.end = why;
    for (auto& c : l.connections)
        if (c) c->end(why);
    inbox_.close(l.peer, why);
    l.up.open();
    l.quiet.open();
}

inline task<> transport::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::farewell, "the two highest tags are the transport's own");
    link& l = other(peer);
    if (message.size() > options_.max_message)
        throw std::system_error(errc::too_large, "raise tcp::options::max_message on all peers");
    co_await l.up.opened();
    if (l.end) throw std::system_error(l.end);
    const auto mixed = static_cast<std::uint64_t>(t) * 0x9e3779b97f4a7c15u >> 32;
    auto& chosen = *l.connections[mixed % l.connections.size()];
    co_await chosen.send(t, message);
}

inline task<std::size_t> transport::recv(int peer, tag t, mutable_bytes into)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into);
}

/// A link ends with its first connection; but where that has said farewell, the others still hold
/// what was sent before theirs.
inline void transport::link::ended(std::error_code why)
{
    const auto stands_or_parted = [](const auto& c) { return !c || !c->ended() || c->parted(); };
    const bool parting = farewells > 0 && farewells < net.options_.connections;
    if (parting && std::ranges::all_of(connections, stands_or_parted)) return;
    net.drop(*this, why);
}

/// The other side will send nothing more; once that is true of every connection, we need not
/// either.
inline void transport::link::said_farewell()
{
    if (++farewells < net.options_.connections) return;
    net.inbox_.close(peer, errc::disconnected);
    if (!net.closing_) net.farewell(*this);
    quiet.open();
}

inline void transport::farewell(link& l)
{
    for (auto& c : l.connections)
        if (c) c->send_mark(wire::farewell);
}

inline task<> transport::close(duration patience)
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
inline task<> transport::part(link& l)
{
    const auto say = [](detail::connection& c) -> task<> { co_await c.send(wire::farewell, {}); };
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
inline task<> transport::watch()
{
    auto watching_since = loop_.now();
    for (;;) {
        const auto due = loop_.now() + options_.heartbeat;
        co_await sleep_until(due);
        if (loop_.now() > due + options_.heartbeat) watching_since = loop_.now();
        for (auto& l : links_) {
            if (closing_ || !l->up.is_open() || l->end) continue;
            for (auto& c : l->connections)
                if (c->drained()) c->send_mark(wire::heartbeat);
            const auto since = std::max(l->last_heard, watching_since);
            if (options_.silence > duration{} && loop_.now() > since + options_.silence)
                drop(*l, errc::silent);
            const bool watched = loop_.now() > watching_since + options_.vanished;
            const auto lost = [&](auto& c) { return c->unacknowledged() > options_.vanished; };
            if (watched && !l->end && std::ranges::any_of(l->connections, lost))
                drop(*l, errc::silent);
        }
    }
}

}  // namespace papilio::tcp
