#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/byte_stream.hpp>
#include <papilio/transport/detail/dialer.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/transport/medium.hpp>
#include <papilio/transport/mesh_options.hpp>
#include <papilio/wire/hello.hpp>

#include <cstdint>
#include <memory>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The links of a mesh by peer, each with those that take its place when it has ended. Borrows all
/// of its arguments.
class peer_links {
public:
    peer_links(loop& on, medium& over, mailbox& inbox, int rank, const mesh_options& o)
        : loop_(on), inbox_(inbox), rank_(rank), options_(o), dialer_(on, over, rank, o)
    {
    }
    peer_links(const peer_links&) = delete;
    peer_links& operator=(const peer_links&) = delete;

    using list = std::vector<std::shared_ptr<peer_link>>;

    int size() const noexcept { return static_cast<int>(links_.size()); }
    const list& all() const noexcept { return links_; }

    /// The link to `peer`, which is known from now on.
    const std::shared_ptr<peer_link>& to(int peer);

    /// Which of the links to a known peer this is, counted from 0.
    std::uint32_t number(int peer) const { return numbers_[static_cast<std::size_t>(peer)]; }

    /// Opens when a link is established or has failed, and when another one has taken its place.
    /// Whoever waits closes it first, and then looks.
    gate& changes() noexcept { return changes_; }

    /// Finishes when the link to a known peer, or one in its place, is established. Throws its
    /// error if the peer has left.
    task<> reach(int peer);

    /// Why there is no link to `peer` in time.
    std::system_error no_link(int peer) { return dialer_.no_link(peer); }

    /// Whether a link of `streams` streams to the sender of `h` may have this stream: it is the
    /// process of before, or the first. A stranger cannot take a peer's place, since it does not
    /// know the number of the peer's process.
    bool accepts(const wire::hello& h, std::uint32_t streams);

    /// Adds a stream that is accepted.
    void add(const wire::hello& h, std::unique_ptr<byte_stream> s);

    /// Lets another process in as a known peer.
    void admit(int peer);

    /// No link to a known peer follows.
    void give_up(int peer);

    /// No link is made from now on. Whoever waits for one is told.
    void close();

private:
    void add_peer();
    std::shared_ptr<peer_link> make(int peer, link_identity id);
    bool is_next(const wire::hello& h);
    void replace(int peer, std::shared_ptr<peer_link> next);
    void stop_dialling(int peer);
    void follow(int peer, std::shared_ptr<peer_link> next);
    task<> dial_again(int peer, std::shared_ptr<peer_link> next);
    task<> keep_up(int peer);
    static task<> replacement_of(std::shared_ptr<peer_link> l);

    loop& loop_;
    mailbox& inbox_;
    int rank_;
    const mesh_options& options_;
    bool closed_ = false;
    list links_;
    list pending_;                        // are dialled to take their places; null: none
    std::vector<std::uint32_t> numbers_;  // of links before
    gate changes_;
    dialer dialer_;
    std::vector<task<>> keepers_;
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/peer_links.hpp>
#endif
