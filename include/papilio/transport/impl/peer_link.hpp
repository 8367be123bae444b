#pragma once

#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Messages that are half there give back what they cost, which the peer is told: so all streams
/// end before the first of them is gone.
PAPILIO_DECL peer_link::~peer_link()
{
    if (!error_) error_ = errc::disconnected;
    for (auto& c : connections_)
        if (c) c->end(error_);
}

PAPILIO_DECL void peer_link::add(const wire::hello& h, std::unique_ptr<byte_stream> s,
                                 std::uint64_t process, std::uint64_t host)
{
    const std::size_t index = h.connection;
    if (!expects(index, connections_.empty() ? s->streams() : connections_.size())) return;
    const bool first = connections_.empty();
    if (first) {
        identity_.made(h.generation, process, host);
        connections_.resize(s->streams());
        if (options_.adaptive) choice_.emplace(connections_.size());
    }
    last_heard_ = loop_.now();
    connection_owner& owner = *this;
    connections_[index] = std::make_unique<connection>(loop_, std::move(s), inbox_, peer_,
                                                       options_.max_message, window_, owner);
    if (first) inbox_.open(peer_, *this, wire::first_window);
    if (std::ranges::all_of(connections_, [](const auto& c) { return !!c; })) {
        log(log_level::info, "link established", {"rank", "peer", "kind", "streams"}, rank_, peer_,
            connections_.front()->kind(), connections_.size());
        settled_.open();
        for (const auto& [t, message] : std::exchange(posted_, {})) post(t, message);
    }
}

PAPILIO_DECL bool peer_link::post(tag t, bytes message)
{
    return put(t, message, &connection::post);
}

PAPILIO_DECL bool peer_link::answer_call(int, tag t, bytes answer)
{
    return !error_ && put(t, answer, &connection::post_later);
}

PAPILIO_DECL bool peer_link::put(tag t, bytes message, bool (connection::*by)(tag, bytes))
{
    constexpr std::size_t most = 1024;
    if (shutting_down_ || peer_shutdowns_ > 0 || last_ || posted_.size() == most) return false;
    if (connected()) return (connection_for(t).*by)(t, message);
    posted_.emplace_back(t, std::vector<std::byte>(message.begin(), message.end()));
    return true;
}

/// Every stream carries replies, and the first of them may not be there yet.
PAPILIO_DECL void peer_link::reply(int, const wire::flow& f)
{
    const auto found = std::ranges::find_if(connections_, [](const auto& c) { return !!c; });
    if (found != connections_.end()) (*found)->answer(f);
}

/// A peer that makes this one answer, and reads no answers, would have them fill the memory. An
/// honest one has `wire::max_announced` to come, and a few windows.
PAPILIO_DECL void peer_link::on_bytes()
{
    last_heard_ = loop_.now();
    for (const auto& c : connections_)
        if (c && c->answers_waiting() > 2 * wire::max_announced)
            throw std::system_error(errc::bad_message, "peer " + std::to_string(peer_) +
                                                           " reads no answers, of which " +
                                                           std::to_string(c->answers_waiting()) +
                                                           " wait");
}

PAPILIO_DECL void peer_link::fail(std::error_code why)
{
    if (error_) return;
    error_ = why;
    last_ |= why == errc::bad_message || why == errc::too_large;
    const bool orderly =
        why == errc::disconnected && (shut_down_.is_open() || connections_.empty());
    log(orderly ? log_level::info : log_level::warning, orderly ? "link shut down" : "link failed",
        {"rank", "peer", "why"}, rank_, peer_, why);
    for (auto& c : connections_)
        if (c) c->end(why);
    window_.fail(why);
    inbox_.close(peer_, why);
    settled_.open();
    shut_down_.open();
    ended_.open();
}

PAPILIO_DECL connection& peer_link::connection_for(tag t)
{
    if (error_) throw std::system_error(error_, "peer " + std::to_string(peer_));
    const auto mixed = static_cast<std::uint64_t>(t) * 0x9e3779b97f4a7c15u >> 32;
    const auto waits = [this](std::uint64_t call) { return window_.holds(call); };
    const auto streams = choice_ ? choice_->streams(t, loop_.now(), waits) : connections_.size();
    return *connections_[mixed % streams];
}

/// The first stream that ends takes the link with it. During the peer's shutdown, though, a stream
/// may end after its shutdown frame while others still carry messages from before theirs.
PAPILIO_DECL void peer_link::on_end(std::error_code why)
{
    const auto stands_or_complete = [](const auto& c) {
        return !c || !c->ended() || c->peer_shut_down();
    };
    const bool partly = peer_shutdowns_ > 0 && peer_shutdowns_ < connections_.size();
    if (partly && std::ranges::all_of(connections_, stands_or_complete)) return;
    fail(why);
}

/// Once the peer has shut every stream down, nothing more comes, and this side answers in kind.
PAPILIO_DECL void peer_link::on_peer_shutdown()
{
    if (++peer_shutdowns_ < connections_.size()) return;
    last_ = true;
    inbox_.close(peer_, errc::disconnected);
    window_.fail(errc::disconnected);  // nobody asks for what waits
    if (!shutting_down_) send_shutdown();
    shut_down_.open();
}

PAPILIO_DECL void peer_link::send_shutdown()
{
    for (auto& c : connections_)
        if (c) c->send_control(wire::shutdown);
}

/// Behind all that the connection has to send.
PAPILIO_DECL task<> peer_link::send_last(connection& c)
{
    co_await c.send(wire::shutdown, {});
}

PAPILIO_DECL task<> peer_link::shut_down()
{
    shutting_down_ = true;
    std::vector<task<>> sends;
    for (auto& c : connections_) sends.push_back(send_last(*c));
    try {
        co_await window_.drained();
        co_await when_all(std::move(sends));
        co_await shut_down_.opened();
    } catch (const std::system_error&) {
        // The link has failed, which ends it as well.
    }
}

PAPILIO_DECL void peer_link::send_heartbeats()
{
    for (auto& c : connections_)
        if (c->drained()) c->send_control(wire::heartbeat);
}

}  // namespace papilio::detail
