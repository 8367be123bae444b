#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/announced_messages.hpp>
#include <papilio/transport/detail/early_messages.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/detail/past_calls.hpp>
#include <papilio/transport/detail/receive_windows.hpp>
#include <papilio/wire/flow.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {
class inbound_message;
}

/// Matches messages that arrive with receives that wait for them, and keeps early messages up to a
/// limit. For authors of transports. Belongs to one loop; must outlive the receives.
///
/// A transport that opens windows (`open`) tells its peers how much they may send before it is
/// asked for, and passes on what they say about the rest: no honest peer meets the limit then.
class mailbox {
    using address = detail::early_messages::address;

public:
    class pending_receive;

    static constexpr std::size_t default_limit = std::size_t{64} << 20;

    /// Early messages of one peer may cost `limit` bytes, and those of all peers with windows
    /// `total`, of whom `peers` are known from the start. A peer that exceeds its limit breaks the
    /// protocol.
    explicit mailbox(std::size_t limit = default_limit,
                     std::size_t total = std::numeric_limits<std::size_t>::max(),
                     std::size_t peers = 1) noexcept;
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox();

    /// Awaiting it gives the size of the next message from `peer` under `t`, which is then in
    /// `into`. `into` must outlive the returned object.
    pending_receive take(int peer, tag t, mutable_bytes into);

    /// The same; a message that its sender lends is not copied, but then in `lent`.
    pending_receive take(int peer, tag t, mutable_bytes into, detail::lent_ptr& lent);

    /// Delivers a whole message. Throws `errc::bad_message` when the peer exceeds its limit.
    void deliver(int peer, tag t, bytes message);

    /// Delivers a message that `peer` lends: while it is early, its bytes stay where they are.
    void deliver_lent(int peer, tag t, detail::lent_ptr message);

    /// A link to `peer` begins. `replies` tells it from now on what it may send; it knows already
    /// that its early messages may cost `known`.
    void open(int peer, detail::flow_replies& replies, std::size_t known)
    {
        windows_.open(peer, replies, known);
    }

    /// What `peer` says of the messages that wait at it: one is announced, or withdrawn, or it is
    /// through with a call. Throws `errc::bad_message` when it announces more than it may. Other
    /// kinds are not for a mailbox.
    void note(int peer, const wire::flow& f);

    /// Ends what comes from `peer`, because of `why`. Messages that have arrived can still be
    /// taken; all other receives from `peer` fail with `why`, and later deliveries are discarded.
    void close(int peer, std::error_code why);

    /// Takes messages from `peer` again, over a new link. What is left of the old one's is
    /// discarded.
    void reopen(int peer);

    /// Discards all messages of the call that `t` belongs to, now and later. The last 1,024 such
    /// calls are remembered.
    void discard_call(tag t);

    /// The call that `t` belongs to has ended here. What concerns its later views is discarded, now
    /// and later, and a peer that sends a message of the kind `view`, or has sent one that is still
    /// here, is sent `answer`: once over each link. The last 1,024 answers are kept. A call whose
    /// messages are all to go is discarded afterwards.
    void leave_answer(tag t, std::vector<std::byte> answer);

    /// Forgets discarded attempts at the same call, and answers, eight or more before or after this
    /// one, and what was left for the same one by an earlier group.
    void begin_call(tag t);

    /// Opens `heard` when a message of the kind `view` or `answer` is here for which no receive
    /// waits, or waits at its sender, of the call that `t` belongs to; at once if there is one
    /// already. Until `unwatch_call`, which comes before the gate goes.
    void watch_call(tag t, gate& heard);
    void unwatch_call(const gate& heard) noexcept
    {
        std::erase_if(watched_, [&](const auto& w) { return w.second == &heard; });
    }

    /// The most that early messages have cost so far, bookkeeping included, in bytes.
    std::size_t most_held() const noexcept { return early_.most_held(); }

private:
    friend class detail::inbound_message;

    pending_receive* oldest_receive(address from, std::size_t after = 0);
    void pass_on(address from, detail::kept_message message);
    void match(address from);
    void answer(int peer, wire::flow_kind kind, std::uint64_t number);
    void answer_call(address from);
    void hear(tag t);
    template <class Which>
    void decline_if(Which which);
    void confirm(int peer, const detail::announced_messages::announced& ended);
    void end_call(int peer, tag t);

    detail::receive_windows windows_;
    detail::early_messages early_;
    detail::announced_messages announced_;
    std::multimap<address, pending_receive*> waiting_;
    std::map<int, std::error_code> closed_;
    detail::past_calls past_;
    std::vector<std::pair<std::uint64_t, gate*>> watched_;  // calls, and whom to tell
};

/// One receive.
class [[nodiscard]] mailbox::pending_receive {
public:
    pending_receive(mailbox& box, address from, mutable_bytes into,
                    detail::lent_ptr* lent = nullptr) noexcept
        : box_(box), from_(from), into_(into), lent_(lent)
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
    bool fill(detail::kept_message& message);
    bool fill(detail::lent_ptr message);
    bool complete(detail::kept_message message);
    void refuse(std::size_t size);
    void fail(std::error_code error) noexcept { error_ = error; }
    void wake() noexcept { on_->post(wake_); }

    mailbox& box_;
    address from_;
    mutable_bytes into_;
    detail::lent_ptr* lent_;  // where what is lent goes; null: it is copied
    std::size_t size_ = 0;
    std::error_code error_;
    bool queued_ = false;
    std::multimap<address, pending_receive*>::iterator position_;
    pending_receive** claim_ = nullptr;  // of a message that is being written into our buffer
    loop* on_ = nullptr;
    detail::resume wake_;
};

}  // namespace papilio

#include <papilio/transport/detail/inbound_message.hpp>

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/mailbox.hpp>
#include <papilio/transport/impl/pending_receive.hpp>
#endif
