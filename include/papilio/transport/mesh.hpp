#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/short_list.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/call_mailbox.hpp>
#include <papilio/transport/detail/call_priorities.hpp>
#include <papilio/transport/detail/host_number.hpp>
#include <papilio/transport/detail/liveness.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/detail/peer_links.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/mesh_options.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// A full mesh of links, what the transports between hosts and processes have in common: connect
/// and accept, handshake, heartbeats, failure detection, graceful shutdown. Belongs to `on`; must
/// outlive the tasks that use it. What its links run over is a `medium`.
class mesh : public detail::call_mailbox {
public:
    mesh(const mesh&) = delete;
    mesh& operator=(const mesh&) = delete;

    int rank() const noexcept { return rank_; }
    int size() const noexcept { return links_.size(); }

    /// Finishes when the links to `peers`, or to all, are established, those that had broken again.
    /// Throws `errc::timed_out` and names the first missing peer when the loop's clock has advanced
    /// by `limit`: the system's error where it had no descriptors or memory for the last attempt.
    /// Throws the link's error for a peer that has left. The list may go before the
    /// task is awaited.
    task<> connect(short_list<int> peers, duration limit = std::chrono::seconds(30));
    task<> connect(duration limit = std::chrono::seconds(30));

    task<> send(int peer, tag t, bytes message);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent);

    /// Sends a copy of a small message in the background, ahead of those that wait: a tag is for
    /// `post` or for `send`, not for both at a time. It is kept until the link is established, or
    /// again; what waits on a link for its receive then is lost if that fails. False if the peer
    /// has left, or too many are kept.
    bool post(int peer, tag t, bytes message);

    void discard_call(tag t);
    void prioritise(tag t, int priority) { priorities_.set(t, priority); }
    time_point last_heard(int peer) { return link_to(peer).last_heard(); }
    duration heartbeat() const noexcept { return options_.heartbeat; }

    /// Bytes, frames included, that `peer`'s host has acknowledged.
    std::uint64_t arrived(int peer) { return link_to(peer).arrived(); }
    std::optional<duration> round_trip(int peer) { return link_to(peer).round_trip(); }

    /// Whether `peer` is a process of this host that shares its network, as the two have told each
    /// other; finishes when the first link to it is there or has failed.
    task<bool> shares_host(int peer);

    /// Lets another process in as `peer`, such as one that was started anew, and no longer the one
    /// that was there: its link ends. All other peers do so at a point on which they have agreed,
    /// before they call it into a group. (A link that breaks between two processes comes back by
    /// itself.) Does nothing while nobody has been there.
    void admit(int peer);

    /// The process that is `peer` is gone, as others know: its link ends, or is waited for no
    /// longer, and none follows until another process is admitted.
    void give_up(int peer);

    /// True if `peer` has shut its link down, or has broken the protocol, or was given up. It stays
    /// so until another process is admitted.
    bool has_left(int peer) { return link_to(peer).is_last(); }

    /// Which of the links to `peer` this is, counted from 0. What was sent over an earlier one and
    /// was not received is lost, and calls that began then fail.
    std::uint32_t link_number(int peer)
    {
        link_to(peer);
        return links_.number(peer);
    }

    /// Opens when a link is established or has failed, and when another one has taken its place.
    /// Whoever waits closes it first, and then looks.
    gate& link_changes() noexcept { return links_.changes(); }

    /// True while the link to `peer` is up.
    bool connected(int peer) { return link_to(peer).connected(); }

    /// What the link to `peer` runs over, "tcp" or "shm"; empty while there is none.
    std::string kind(int peer) { return link_to(peer).kind(); }

    /// Shuts every link down, after all that waits to be sent, and finishes when the peers have
    /// done the same, at the latest after `limit`. A transport that is destroyed without it may
    /// lose its last messages.
    task<> close(duration limit = std::chrono::seconds(2));

protected:
    /// Throws `errc::bad_argument` for options that it names.
    mesh(loop& on, std::unique_ptr<medium> over, int rank, int peers, mesh_options o);
    ~mesh();

    /// Accepts connections from now on. Throws the system's error when it cannot listen at this
    /// peer's address.
    void listen();

    /// The link to `peer`, who is a member from now on.
    detail::peer_link& link_to(int peer);

    /// What the mesh was made over.
    medium& links_medium() noexcept { return *medium_; }

private:
    detail::peer_link& other(int peer);
    std::uint64_t own_host() const
    {
        return detail::host_in_group(medium_->host(), options_.group);
    }
    task<> connect_to(std::vector<int> peers, duration limit);
    task<> handshake(std::unique_ptr<incoming> from);
    bool accepts(const wire::hello& h, std::uint32_t streams);
    static task<> all(std::vector<task<>> tasks);

    loop& loop_;
    int rank_;
    mesh_options options_;
    detail::call_priorities priorities_;
    std::unique_ptr<medium> medium_;
    detail::peer_links links_;
    std::optional<detail::liveness> liveness_;
};

/// A mesh whose peers are found at an `Address`.
template <class Address>
class addressed_mesh : public mesh {
public:
    using address = Address;

    /// Where this peer listens, with what the system chose where it was asked to.
    Address local() const { return addresses_.local(); }

    /// Sets the address of a peer that was unknown or has changed. Later attempts dial it there. A
    /// link that is up stays: see `admit` for another process.
    void set_address(int peer, Address at)
    {
        link_to(peer);
        addresses_.set_address(peer, std::move(at));
    }

protected:
    /// Peer `i` listens at `peers[i]`. Throws as `mesh` and its `listen` do.
    addressed_mesh(loop& on, std::unique_ptr<addressed_medium<Address>> over, int rank,
                   std::vector<Address> peers, mesh_options o)
        : mesh(on, std::move(over), rank, static_cast<int>(peers.size()), o),
          addresses_(static_cast<addressed_medium<Address>&>(links_medium()))
    {
        for (std::size_t i = 0; i < peers.size(); ++i)
            set_address(static_cast<int>(i), std::move(peers[i]));
        listen();
    }

private:
    addressed_medium<Address>& addresses_;  // the mesh's own
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/mesh.hpp>
#endif
