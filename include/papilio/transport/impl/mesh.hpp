#pragma once

#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/mesh.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/hello.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL mesh::mesh(loop& on, std::unique_ptr<medium> over, int rank, int peers, mesh_options o)
    : call_mailbox(o.early_limit, detail::shared_early_limit(o, peers),
                   static_cast<std::size_t>(std::max(peers - 1, 1))),
      loop_(on),
      rank_(rank),
      options_(o),
      medium_(std::move(over)),
      links_(on, *medium_, inbox_, rank, options_)
{
    detail::check_mesh_options(o, rank, peers);
    if (o.max_peers == 0) options_.max_peers = peers;
}

PAPILIO_DECL mesh::~mesh() = default;

PAPILIO_DECL void mesh::listen()
{
    medium_->listen(rank_,
                    [this](std::unique_ptr<incoming> from) { return handshake(std::move(from)); });
    liveness_.emplace(loop_, links_.all(), options_);
}

PAPILIO_DECL detail::peer_link& mesh::link_to(int peer)
{
    if (peer < 0 || peer >= options_.max_peers)
        throw std::system_error(errc::bad_argument, "a peer's number must be 0 to " +
                                                        std::to_string(options_.max_peers - 1) +
                                                        ", not " + std::to_string(peer));
    return *links_.to(peer);
}

PAPILIO_DECL detail::peer_link& mesh::other(int peer)
{
    if (peer == rank_)
        throw std::system_error(errc::bad_argument,
                                "peer " + std::to_string(peer) + " has no link to itself");
    return link_to(peer);
}

PAPILIO_DECL void mesh::admit(int peer)
{
    other(peer);
    links_.admit(peer);
}

PAPILIO_DECL task<> mesh::connect(duration limit)
{
    std::vector<int> peers;
    for (int peer = 0; peer < size(); ++peer) peers.push_back(peer);
    return connect_to(std::move(peers), limit);
}

PAPILIO_DECL task<> mesh::connect(short_list<int> peers, duration limit)
{
    return connect_to({peers.begin(), peers.end()}, limit);
}

PAPILIO_DECL task<> mesh::connect_to(std::vector<int> peers, duration limit)
{
    std::vector<task<>> attempts;
    for (const int peer : peers)
        if (peer != rank_) {
            link_to(peer);
            attempts.push_back(links_.reach(peer));
        }
    task<> work = all(std::move(attempts));
    bool late = false;
    try {
        co_await timeout(std::move(work), later(loop_.now(), limit));
    } catch (const std::system_error& failure) {
        if (failure.code() != errc::timed_out) throw;
        late = true;
    }
    if (!late) co_return;
    for (const int peer : peers) {
        if (peer == rank_ || connected(peer)) continue;
        throw links_.no_link(peer);
    }
}

/// Lets a peer of the group in. Any other connection is refused when this ends.
PAPILIO_DECL task<> mesh::handshake(std::unique_ptr<incoming> from)
{
    const std::unique_ptr<incoming> connection = std::move(from);
    wire::hello h;
    std::unique_ptr<byte_stream> stream;
    try {
        task<wire::hello> hello = connection->read_hello();
        h = co_await timeout(std::move(hello), later(loop_.now(), options_.handshake_timeout));
        if (!accepts(h, connection->streams()))
            throw std::system_error(errc::refused, "peer " + std::to_string(h.from) +
                                                       " is not expected with this hello");
        const auto& link = links_.to(static_cast<int>(h.from));
        task<std::unique_ptr<byte_stream>> answer =
            connection->accept(link->identity().own_process(), own_host());
        stream =
            co_await timeout(std::move(answer), later(loop_.now(), options_.handshake_timeout));
    } catch (const std::system_error& failure) {
        // It was no peer, or a peer that will dial again.
        detail::log(log_level::warning, "connection refused", {"rank", "why"}, rank_,
                    failure.what());
        co_return;
    }
    if (accepts(h, connection->streams())) links_.add(h, std::move(stream));
}

PAPILIO_DECL void mesh::give_up(int peer)
{
    other(peer);
    links_.give_up(peer);
}

PAPILIO_DECL bool mesh::accepts(const wire::hello& h, std::uint32_t streams)
{
    const bool to_us = h.group == options_.group && h.to == static_cast<std::uint32_t>(rank_);
    const bool from_peer =
        h.from != h.to && h.from < static_cast<std::uint32_t>(options_.max_peers);
    return to_us && from_peer && h.connections == streams && links_.accepts(h, streams);
}

PAPILIO_DECL task<> mesh::all(std::vector<task<>> tasks)
{
    co_await when_all(std::move(tasks));
}

PAPILIO_DECL task<> mesh::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    other(peer);
    const auto l = links_.to(peer);
    if (message.size() > options_.max_message)
        throw std::system_error(errc::too_large, "a message of " + std::to_string(message.size()) +
                                                     " bytes exceeds max_message = " +
                                                     std::to_string(options_.max_message) +
                                                     " bytes; raise it on all peers");
    co_await l->settled();
    detail::connection& chosen = l->connection_for(t);
    co_await chosen.send(t, message, priorities_.of(t));
    l->sent(t, message.size());
}

PAPILIO_DECL bool mesh::post(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    return message.size() <= options_.max_message && other(peer).post(t, message);
}

PAPILIO_DECL task<std::size_t> mesh::recv(int peer, tag t, mutable_bytes into)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into);
}

/// All that the call needs to know of a link is told with the first stream, and stays when the link
/// breaks: another one would be to the same process.
PAPILIO_DECL task<bool> mesh::shares_host(int peer)
{
    if (peer == rank_) co_return true;
    const auto l = links_.to(peer);
    co_await l->settled();
    const auto host = l->identity().host();
    co_return host != 0 && host == own_host();
}

PAPILIO_DECL task<std::size_t> mesh::recv(int peer, tag t, mutable_bytes into,
                                          detail::lent_ptr& lent)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into, lent);
}

PAPILIO_DECL void mesh::discard_call(tag t)
{
    inbox_.discard_call(t);
    for (const auto& l : links_.all()) l->end_call(t);
}

PAPILIO_DECL task<> mesh::close(duration limit)
{
    liveness_->stop();
    links_.close();
    std::vector<task<>> shutdowns;
    for (const auto& l : links_.all())
        if (l->connected()) shutdowns.push_back(l->shut_down());
    bool late = false;
    try {
        task<> work = all(std::move(shutdowns));
        co_await timeout(std::move(work), later(loop_.now(), limit));
    } catch (const std::system_error&) {
        late = true;  // a peer that has not answered by now will not
    }
    for (const auto& l : links_.all())
        if (l->connected()) l->fail(late ? errc::timed_out : errc::disconnected);
}

}  // namespace papilio
