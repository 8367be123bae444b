#pragma once

#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/call_priorities.hpp>
#include <papilio/transport/detail/dialer.hpp>
#include <papilio/transport/detail/liveness.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/transport/mesh_options.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio {

/// A full mesh of links, what the transports between hosts and processes have in common: connect
/// and accept, handshake, heartbeats, failure detection, graceful shutdown. Belongs to `on`; must
/// outlive the tasks that use it.
///
/// The medium is what links run over:
/// - `address`: where a peer listens
/// - `bool reaches(const address& from, const address& to)`: whether one can dial the other
/// - `std::string text(const address&)`
/// - `void listen(const address& own, std::function<task<>(std::unique_ptr<incoming>)> handshake)`
/// - `address local()`: where this peer listens, as others dial it
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

    /// Sets the address of a peer that was unknown or has changed. Later attempts dial it there.
    void set_address(int peer, address at)
    {
        link_to(peer);
        dialer_.set_address(peer, std::move(at));
    }

    /// Finishes when the links to `peers`, or to all, are established. Throws `errc::timed_out` and
    /// names the first missing peer when the loop's clock has advanced by `limit`.
    task<> connect(std::vector<int> peers, duration limit = std::chrono::seconds(30));
    task<> connect(duration limit = std::chrono::seconds(30));

    task<> send(int peer, tag t, bytes message);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into);

    std::uint32_t next_call() noexcept { return ++calls_; }
    void retire(tag t) { inbox_.discard_call(t); }
    void prioritise(tag t, int priority) { priorities_.set(t, priority); }
    time_point last_heard(int peer) { return link_to(peer).last_heard(); }

    /// Bytes, frames included, that `peer`'s host has acknowledged.
    std::uint64_t arrived(int peer) { return link_to(peer).arrived(); }
    std::optional<duration> round_trip(int peer) { return link_to(peer).round_trip(); }

    /// True while the link to `peer` is up.
    bool connected(int peer) { return link_to(peer).connected(); }

    /// What the link to `peer` runs over, "tcp" or "shm"; empty while there is none.
    std::string kind(int peer) { return link_to(peer).kind(); }

    /// Shuts every link down, after all that waits to be sent, and finishes when the peers have
    /// done the same, at the latest after `limit`. A transport that is destroyed without it may
    /// lose its last messages.
    task<> close(duration limit = std::chrono::seconds(2));

protected:
    /// Peer `i` listens at `peers[i]`. Throws `errc::bad_argument` for options that it names, and
    /// the system's error when it cannot listen at its own address.
    mesh(loop& on, Medium medium, int rank, std::vector<address> peers, mesh_options o);
    ~mesh() = default;

private:
    detail::peer_link& link_to(int peer);
    detail::peer_link& other(int peer);
    task<> handshake(std::unique_ptr<incoming> from);
    bool accepts(const wire::hello& h, std::uint32_t streams);
    static task<> all(std::vector<task<>> tasks) { co_await when_all(std::move(tasks)); }

    loop& loop_;
    int rank_;
    mesh_options options_;
    std::uint32_t calls_ = 0;
    bool closing_ = false;
    mailbox inbox_;
    detail::call_priorities priorities_;
    std::vector<std::unique_ptr<detail::peer_link>> links_;
    Medium medium_;
    detail::dialer<Medium> dialer_;
    std::optional<detail::liveness> liveness_;
};

template <class Medium>
mesh<Medium>::mesh(loop& on, Medium medium, int rank, std::vector<address> peers, mesh_options o)
    : loop_(on),
      rank_(rank),
      options_(o),
      inbox_(o.early_limit),
      medium_(std::move(medium)),
      dialer_(on, medium_, rank, options_)
{
    const int known = static_cast<int>(peers.size());
    detail::check_mesh_options(o, rank, known);
    if (o.max_peers == 0) options_.max_peers = known;
    for (std::size_t i = 0; i < peers.size(); ++i)
        set_address(static_cast<int>(i), std::move(peers[i]));
    medium_.listen(dialer_.address_of(rank),
                   [this](std::unique_ptr<incoming> from) { return handshake(std::move(from)); });
    liveness_.emplace(loop_, links_, options_);
}

template <class Medium>
detail::peer_link& mesh<Medium>::link_to(int peer)
{
    if (peer < 0 || peer >= options_.max_peers)
        throw std::system_error(errc::bad_argument, "a peer's number must be 0 to " +
                                                        std::to_string(options_.max_peers - 1) +
                                                        ", not " + std::to_string(peer));
    while (size() <= peer)
        links_.push_back(std::make_unique<detail::peer_link>(loop_, inbox_, size(), options_));
    return *links_[static_cast<std::size_t>(peer)];
}

template <class Medium>
detail::peer_link& mesh<Medium>::other(int peer)
{
    if (peer == rank_)
        throw std::system_error(errc::bad_argument,
                                "peer " + std::to_string(peer) + " has no link to itself");
    return link_to(peer);
}

template <class Medium>
task<> mesh<Medium>::connect(duration limit)
{
    std::vector<int> peers;
    for (int peer = 0; peer < size(); ++peer) peers.push_back(peer);
    return connect(std::move(peers), limit);
}

template <class Medium>
task<> mesh<Medium>::connect(std::vector<int> peers, duration limit)
{
    std::vector<task<>> attempts;
    for (const int peer : peers)
        if (peer != rank_) attempts.push_back(dialer_.connect(link_to(peer)));
    task<> work = all(std::move(attempts));
    bool late = false;
    try {
        co_await timeout(std::move(work), loop_.now() + limit);
    } catch (const std::system_error& failure) {
        if (failure.code() != errc::timed_out) throw;
        late = true;
    }
    if (!late) co_return;
    for (const int peer : peers) {
        if (peer == rank_ || connected(peer)) continue;
        throw std::system_error(errc::timed_out, "no connection with peer " + std::to_string(peer) +
                                                     dialer_.last_failure(peer));
    }
}

/// Lets a peer of the group in. Any other connection is refused when this ends.
template <class Medium>
task<> mesh<Medium>::handshake(std::unique_ptr<incoming> from)
{
    const std::unique_ptr<incoming> connection = std::move(from);
    wire::hello h;
    std::unique_ptr<byte_stream> stream;
    try {
        task<wire::hello> hello = connection->read_hello();
        h = co_await timeout(std::move(hello), loop_.now() + options_.handshake_timeout);
        if (!accepts(h, connection->streams())) co_return;
        task<std::unique_ptr<byte_stream>> answer = connection->accept();
        stream = co_await timeout(std::move(answer), loop_.now() + options_.handshake_timeout);
    } catch (const std::system_error&) {
        co_return;  // it was no peer, or a peer that will dial again
    }
    if (accepts(h, connection->streams()))
        link_to(static_cast<int>(h.from)).add(h.connection, std::move(stream));
}

template <class Medium>
bool mesh<Medium>::accepts(const wire::hello& h, std::uint32_t streams)
{
    const bool to_us = h.group == options_.group && h.to == static_cast<std::uint32_t>(rank_);
    const bool from_peer =
        h.from != h.to && h.from < static_cast<std::uint32_t>(options_.max_peers);
    return !closing_ && to_us && from_peer && h.connections == streams &&
           link_to(static_cast<int>(h.from)).expects(h.connection, streams);
}

template <class Medium>
task<> mesh<Medium>::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::shutdown, "the two highest tags are the transport's own");
    detail::peer_link& l = other(peer);
    if (message.size() > options_.max_message)
        throw std::system_error(errc::too_large, "a message of " + std::to_string(message.size()) +
                                                     " bytes exceeds max_message = " +
                                                     std::to_string(options_.max_message) +
                                                     " bytes; raise it on all peers");
    co_await l.settled();
    detail::connection& chosen = l.connection_for(t);
    co_await chosen.send(t, message, priorities_.of(t));
    l.sent(t, message.size());
}

template <class Medium>
task<std::size_t> mesh<Medium>::recv(int peer, tag t, mutable_bytes into)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into);
}

template <class Medium>
task<> mesh<Medium>::close(duration limit)
{
    closing_ = true;
    liveness_->stop();
    std::vector<task<>> shutdowns;
    for (auto& l : links_)
        if (l->connected()) shutdowns.push_back(l->shut_down());
    bool late = false;
    try {
        task<> work = all(std::move(shutdowns));
        co_await timeout(std::move(work), loop_.now() + limit);
    } catch (const std::system_error&) {
        late = true;  // a peer that has not answered by now will not
    }
    for (auto& l : links_)
        if (l->connected()) l->fail(late ? errc::timed_out : errc::disconnected);
}

}  // namespace papilio
