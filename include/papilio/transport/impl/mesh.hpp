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

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

inline std::uint64_t process_number()
{
    std::random_device source;
    const std::uint64_t number = std::uint64_t{source()} << 32 | source();
    return number != 0 ? number : 1;
}

}  // namespace detail

PAPILIO_DECL mesh::mesh(loop& on, std::unique_ptr<medium> over, int rank, int peers, mesh_options o)
    : loop_(on),
      rank_(rank),
      options_(o),
      inbox_(o.early_limit),
      process_(detail::process_number()),
      medium_(std::move(over)),
      dialer_(on, *medium_, rank, process_, options_)
{
    detail::check_mesh_options(o, rank, peers);
    if (o.max_peers == 0) options_.max_peers = peers;
}

PAPILIO_DECL mesh::~mesh() = default;

PAPILIO_DECL void mesh::listen()
{
    medium_->listen(rank_,
                    [this](std::unique_ptr<incoming> from) { return handshake(std::move(from)); });
    liveness_.emplace(loop_, links_, options_);
}

PAPILIO_DECL detail::peer_link& mesh::link_to(int peer)
{
    if (peer < 0 || peer >= options_.max_peers)
        throw std::system_error(errc::bad_argument, "a peer's number must be 0 to " +
                                                        std::to_string(options_.max_peers - 1) +
                                                        ", not " + std::to_string(peer));
    while (size() <= peer) add_peer();
    return *links_[static_cast<std::size_t>(peer)];
}

PAPILIO_DECL void mesh::add_peer()
{
    const int peer = size();
    links_.push_back(std::make_shared<detail::peer_link>(loop_, inbox_, rank_, peer, options_));
    numbers_.push_back(0);
    pending_.emplace_back();
    keepers_.push_back(keep_up(peer));
    keepers_.back().start(loop_);
}

/// Whoever waits for the link before has been told that it has failed.
PAPILIO_DECL void mesh::replace(int peer, std::shared_ptr<detail::peer_link> next)
{
    const auto i = static_cast<std::size_t>(peer);
    const auto before = std::exchange(links_[i], std::move(next));
    ++numbers_[i];
    inbox_.reopen(peer);
    links_[i]->take_posts(*before);
    before->mark_replaced();
}

/// While its link to `peer` is down, the peer that dials tries to make another one. One that the
/// other side has shut down is gone for good.
PAPILIO_DECL task<> mesh::keep_up(int peer)
{
    const auto i = static_cast<std::size_t>(peer);
    for (;;) {
        const auto link = links_[i];
        co_await link->ended();
        if (closing_) co_return;
        if (!link->was_shut_down() && dialer_.dials(peer)) {
            const auto next =
                std::make_shared<detail::peer_link>(detail::peer_link::successor{}, *link);
            pending_[i] = next;
            std::function<void()> begun = [this, peer, next] { replace(peer, next); };
            task<> dialling = dialer_.dial(next, std::move(begun));
            co_await std::move(dialling);
            pending_[i].reset();
        } else {
            co_await link->replaced();
        }
    }
}

PAPILIO_DECL void mesh::admit(int peer)
{
    detail::peer_link& l = other(peer);
    if (!l.error() && l.streams() == 0) return;  // whoever comes first is meant
    l.fail(errc::disconnected);
    if (const auto& next = pending_[static_cast<std::size_t>(peer)]) next->fail(errc::disconnected);
    replace(peer, std::make_shared<detail::peer_link>(loop_, inbox_, rank_, peer, options_));
}

PAPILIO_DECL detail::peer_link& mesh::other(int peer)
{
    if (peer == rank_)
        throw std::system_error(errc::bad_argument,
                                "peer " + std::to_string(peer) + " has no link to itself");
    return link_to(peer);
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
            attempts.push_back(dialer_.connect(links_[static_cast<std::size_t>(peer)]));
        }
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
PAPILIO_DECL task<> mesh::handshake(std::unique_ptr<incoming> from)
{
    const std::unique_ptr<incoming> connection = std::move(from);
    wire::hello h;
    std::unique_ptr<byte_stream> stream;
    try {
        task<wire::hello> hello = connection->read_hello();
        h = co_await timeout(std::move(hello), loop_.now() + options_.handshake_timeout);
        if (!accepts(h, connection->streams()))
            throw std::system_error(errc::refused, "peer " + std::to_string(h.from) +
                                                       " is not expected with this hello");
        task<std::unique_ptr<byte_stream>> answer = connection->accept(process_);
        stream = co_await timeout(std::move(answer), loop_.now() + options_.handshake_timeout);
    } catch (const std::system_error& failure) {
        // It was no peer, or a peer that will dial again.
        detail::log(log_level::warning, "connection refused", {"rank", "why"}, rank_,
                    failure.what());
        co_return;
    }
    if (!accepts(h, connection->streams())) co_return;
    const int peer = static_cast<int>(h.from);
    if (link_to(peer).error())
        replace(peer,
                std::make_shared<detail::peer_link>(detail::peer_link::successor{}, link_to(peer)));
    link_to(peer).add(h, std::move(stream), h.process);
}

PAPILIO_DECL bool mesh::accepts(const wire::hello& h, std::uint32_t streams)
{
    const bool to_us = h.group == options_.group && h.to == static_cast<std::uint32_t>(rank_) &&
                       (h.to_process == 0 || h.to_process == process_);
    const bool from_peer =
        h.from != h.to && h.from < static_cast<std::uint32_t>(options_.max_peers);
    if (closing_ || !to_us || !from_peer || h.connections != streams) return false;
    const auto& l = link_to(static_cast<int>(h.from));
    if (l.process() != 0 && l.process() != h.process) return false;
    if (l.error())
        return !l.was_shut_down() && h.generation > l.generation() && h.connection < streams;
    return l.expects(h.connection, streams) && (l.streams() == 0 || h.generation == l.generation());
}

PAPILIO_DECL task<> mesh::all(std::vector<task<>> tasks)
{
    co_await when_all(std::move(tasks));
}

PAPILIO_DECL task<> mesh::send(int peer, tag t, bytes message)
{
    PAPILIO_CHECK(t < wire::shutdown, "the two highest tags are the transport's own");
    other(peer);
    const auto l = links_[static_cast<std::size_t>(peer)];
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
    PAPILIO_CHECK(t < wire::shutdown, "the two highest tags are the transport's own");
    return message.size() <= options_.max_message && other(peer).post(t, message);
}

PAPILIO_DECL task<std::size_t> mesh::recv(int peer, tag t, mutable_bytes into)
{
    other(peer);
    co_return co_await inbox_.take(peer, t, into);
}

PAPILIO_DECL task<> mesh::close(duration limit)
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
