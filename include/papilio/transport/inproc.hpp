#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/call_mailbox.hpp>
#include <papilio/transport/detail/message_flow.hpp>
#include <papilio/transport/mailbox.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::inproc {

class group;

/// One peer of a group within this process.
class transport : public papilio::detail::call_mailbox, papilio::detail::message_carrier {
public:
    int rank() const noexcept { return rank_; }
    int size() const noexcept;

    task<> send(int peer, tag t, bytes content);
    bool post(int peer, tag t, bytes content);
    task<std::size_t> recv(int peer, tag t, mutable_bytes into);

    void discard_call(tag t) { flow_.discard_call(t); }

    duration round_trip(int) const noexcept { return {}; }
    task<bool> shares_host(int) const { return papilio::detail::known(true); }

    /// Leaves the group: the others' receives from this peer fail with `errc::disconnected`.
    void close();

private:
    friend class group;

    struct message {
        int from;
        tag what;
        std::vector<std::byte> content;
        bool last = false;
    };

    /// Fires on the peer's own loop after others have queued messages.
    struct arrival final : event {
        explicit arrival(transport& o) : owner(o) {}
        void fire() override { owner.deliver_queued(); }
        transport& owner;
    };

    transport(group& g, int rank, loop& on, int peers, std::size_t early_limit)
        : call_mailbox(early_limit),
          group_(g),
          rank_(rank),
          loop_(on),
          flow_(inbox_, *this, rank, peers, early_limit)
    {
    }

    void launch(int peer, tag what, bytes content, tag order) override;
    void enqueue(message m);
    void deliver_queued();

    group& group_;
    int rank_;
    loop& loop_;
    papilio::detail::message_flow flow_;

    std::mutex mutex_;  // guards the members below, which other threads use
    std::vector<message> queue_;
    arrival arrival_{*this};
    bool posted_ = false;
};

/// Peers within one process, each on a loop of its own or several on one; loops may run in
/// different threads. Messages are copied once. Of those that nobody has asked for yet, a peer
/// keeps `early_limit` bytes (64 KiB or more) for each other one; the rest waits where it is sent.
/// Must outlive all tasks that use it, and must be destroyed when none of its loops runs any more.
class group {
public:
    /// `size` peers on one loop.
    group(int size, loop& on, std::size_t early_limit = mailbox::default_limit)
        : group(std::vector<loop*>(static_cast<std::size_t>(size), &on), early_limit)
    {
    }

    /// One peer on each of `loops`.
    explicit group(std::vector<loop*> loops, std::size_t early_limit = mailbox::default_limit);
    group(const group&) = delete;
    group& operator=(const group&) = delete;
    ~group();

    transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const noexcept { return static_cast<int>(peers_.size()); }

private:
    bool threaded() const;

    std::vector<loop*> loops_;
    std::vector<std::unique_ptr<transport>> peers_;
};

inline int transport::size() const noexcept
{
    return group_.size();
}

}  // namespace papilio::inproc

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/inproc.hpp>
#endif
