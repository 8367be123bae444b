#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/connection.hpp>
#include <papilio/transport/detail/connection_figures.hpp>
#include <papilio/transport/detail/flow.hpp>
#include <papilio/transport/detail/link_identity.hpp>
#include <papilio/transport/detail/receive_windows.hpp>
#include <papilio/transport/detail/send_window.hpp>
#include <papilio/transport/detail/stream_choice.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/transport/mesh_options.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/hello.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The connections to one peer of a mesh. A link is established once all of its streams are there,
/// and fails as a whole with the first of them. It never comes back; another one takes its place.
class peer_link final : connection_owner, flow_replies {
public:
    peer_link(loop& on, mailbox& inbox, int rank, int peer, const mesh_options& o, link_identity id)
        : loop_(on), inbox_(inbox), rank_(rank), peer_(peer), options_(o), identity_(id)
    {
    }
    peer_link(const peer_link&) = delete;
    peer_link& operator=(const peer_link&) = delete;
    ~peer_link() override;

    int peer() const noexcept { return peer_; }

    /// Which link it is, and between which processes.
    link_identity& identity() noexcept { return identity_; }

    /// Why the link has failed or was shut down, if it has.
    std::error_code error() const noexcept { return error_; }
    bool connected() const noexcept { return settled_.is_open() && !error_; }

    /// Awaiting it lasts until the link is established or has failed.
    gate::passage settled() noexcept { return settled_.opened(); }
    bool is_settled() const noexcept { return settled_.is_open(); }

    /// Awaiting it lasts until the link has failed or was shut down.
    gate::passage ended() noexcept { return ended_.opened(); }

    /// True if no link to this process follows: it has shut this one down, or broken the protocol.
    bool is_last() const noexcept { return last_; }

    /// Awaiting it lasts until another link has taken the place of this one.
    gate::passage replaced() noexcept { return replaced_.opened(); }
    void mark_replaced() noexcept { replaced_.open(); }

    /// How many streams the link consists of; zero before the first one is there.
    std::size_t streams() const noexcept { return connections_.size(); }
    bool has_stream(std::size_t index) const
    {
        return index < connections_.size() && connections_[index];
    }

    /// Whether stream `index` of `streams` may still be added.
    bool expects(std::size_t index, std::size_t streams) const
    {
        const bool other_number = !connections_.empty() && connections_.size() != streams;
        return !error_ && index < streams && !other_number && !has_stream(index);
    }

    /// Adds the stream for which `h` was said, to or by `process` on `host` at the other end. The
    /// first one of a link tells how many there are. Drops `s` if the link does not expect it.
    void add(const wire::hello& h, std::unique_ptr<byte_stream> s, std::uint64_t process,
             std::uint64_t host);

    /// Ends all connections. Receives from the peer fail with `why`, unless their message is there.
    void fail(std::error_code why);

    /// Ends it, and no other one follows.
    void give_up()
    {
        last_ = true;
        fail(errc::disconnected);
    }

    /// Ends a link without streams that is not wanted any more.
    void abandon()
    {
        error_ = errc::disconnected;
        ended_.open();
    }

    /// The connection that carries messages under `t`, always the same one, so that they stay in
    /// order. The link must be settled; throws its error if it has failed.
    connection& connection_for(tag t);

    /// Sends a copy of a small message in the background, once the link is established, or the one
    /// that takes its place. False if no link follows this one, or too many wait for it.
    bool post(tag t, bytes message);

    /// Sends what waits to be posted over `before`, whose place this link takes.
    void take_posts(peer_link& before) { posted_ = std::move(before.posted_); }

    /// A message of `size` bytes has been sent under `t`.
    void sent(tag t, std::size_t size)
    {
        if (choice_) choice_->sent(t, size, loop_.now());
    }

    /// Tells the peer that the call of `t` is over, after all that it was sent about it.
    void end_call(tag t)
    {
        for (auto& c : connections_)
            if (c)
                c->send_flow(
                    {.kind = wire::flow_kind::over, .subject = static_cast<std::uint64_t>(t)}, 0);
    }

    /// Sends a shutdown on every stream, after all that waits to be sent, and finishes when the
    /// peer has done the same or the link has failed.
    task<> shut_down();

    /// Sends a heartbeat on every stream that has nothing else to send.
    void send_heartbeats();

    /// Whether a stream's data has been waiting for an acknowledgement for longer than `limit`.
    bool unacknowledged_beyond(duration limit)
    {
        return detail::unacknowledged_beyond(connections_, limit);
    }

    time_point last_heard() const noexcept { return last_heard_; }

    /// Bytes that the peer's host has acknowledged, frames included.
    std::uint64_t arrived() { return detail::arrived(connections_); }

    /// The shortest round trip of any stream, if one has been measured.
    std::optional<duration> round_trip() { return detail::round_trip(connections_); }

    /// The kind of its streams; empty while the link is down.
    std::string kind() const { return connected() ? connections_.front()->kind() : ""; }

private:
    void on_bytes() override;
    void on_flow(const wire::flow& f) override { take_flow(f, peer_, window_, inbox_); }
    void reply(int peer, const wire::flow& f) override;
    bool answer_call(int peer, tag t, bytes answer) override;
    bool put(tag t, bytes message, bool (connection::*by)(tag, bytes));
    void on_end(std::error_code why) override;
    void on_peer_shutdown() override;
    void send_shutdown();
    static task<> send_last(connection& c);

    loop& loop_;
    mailbox& inbox_;
    int rank_;  // this peer's own
    int peer_;
    const mesh_options& options_;
    link_identity identity_;
    send_window window_{wire::first_window};
    connections connections_;
    std::optional<stream_choice> choice_;                         // of adaptive links
    std::vector<std::pair<tag, std::vector<std::byte>>> posted_;  // before the link was settled
    gate settled_;
    gate ended_;
    gate replaced_;
    bool last_ = false;
    gate shut_down_;  // both sides have sent their shutdowns, or the link has failed
    std::error_code error_;
    std::size_t peer_shutdowns_ = 0;  // streams on which the peer has sent its shutdown
    bool shutting_down_ = false;
    time_point last_heard_{};
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/peer_link.hpp>
#endif
