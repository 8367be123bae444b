#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/early_messages.hpp>

#include <deque>
#include <map>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
class inbound_message;
}

/// Matches messages that arrive with receives that wait for them, and keeps early messages up to a
/// limit. For authors of transports. Belongs to one loop; must outlive the receives.
class mailbox {
    using address = detail::early_messages::address;

public:
    class pending_receive;

    /// Early messages of one peer may hold `limit` bytes. A peer that exceeds it breaks the
    /// protocol, since credits cover every message in flight.
    explicit mailbox(std::size_t limit = std::size_t{64} << 20) noexcept;
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox();

    /// Awaiting it gives the size of the next message from `peer` under `t`, which is then in
    /// `into`. `into` must outlive the returned object.
    pending_receive take(int peer, tag t, mutable_bytes into);

    /// Delivers a whole message. Throws `errc::bad_message` when the peer exceeds its limit.
    void deliver(int peer, tag t, bytes message);

    /// Ends what comes from `peer`, because of `why`. Messages that have arrived can still be
    /// taken; all other receives from `peer` fail with `why`, and later deliveries are discarded.
    void close(int peer, std::error_code why);

    /// Takes messages from `peer` again, over a new link. What is left of the old one's is
    /// discarded.
    void reopen(int peer);

    /// Discards all messages of the call that `t` belongs to, now and later. The last 1,024 such
    /// calls are remembered.
    void discard_call(tag t);

    /// Forgets discarded attempts at the same call, eight or more before or after this one: tags
    /// have four bits for them, and messages of later attempts come early.
    void begin_call(tag t);

private:
    friend class detail::inbound_message;

    bool discards(tag t) const;
    pending_receive* oldest_receive(address from);
    void pass_on(address from, detail::pooled_buffer message);

    detail::early_messages early_;
    std::multimap<address, pending_receive*> waiting_;
    std::map<int, std::error_code> closed_;
    std::deque<std::uint64_t> discarded_calls_;
};

/// One receive.
class [[nodiscard]] mailbox::pending_receive {
public:
    pending_receive(mailbox& box, address from, mutable_bytes into) noexcept
        : box_(box), from_(from), into_(into)
    {
    }
    pending_receive(const pending_receive&) = delete;
    pending_receive& operator=(const pending_receive&) = delete;
    ~pending_receive();

    bool await_ready();

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        join_queue();
    }

    std::size_t await_resume() const;

private:
    friend class mailbox;
    friend class detail::inbound_message;

    void join_queue();
    void leave_queue();
    void fill(bytes message);
    void complete(bytes message);
    void fail(std::error_code error) noexcept { error_ = error; }
    void wake() noexcept { on_->post(wake_); }

    mailbox& box_;
    address from_;
    mutable_bytes into_;
    std::size_t size_ = 0;
    std::error_code error_;
    bool queued_ = false;
    std::multimap<address, pending_receive*>::iterator position_;
    pending_receive** claim_ = nullptr;  // of a message that is being written into our buffer
    loop* on_ = nullptr;
    detail::resume wake_;
};

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// Delivers a message to peer `rank` of a transport without connections. If `peer` exceeds its
/// limit, the link to it fails.
void deliver_or_close(mailbox& inbox, int rank, int peer, tag t, bytes message);

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/mailbox.hpp>
#endif
