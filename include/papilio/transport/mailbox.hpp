#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/early_messages.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
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
    explicit mailbox(std::size_t limit = std::size_t{64} << 20) noexcept : early_(limit) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox()
    {
        PAPILIO_CHECK(waiting_.empty(), "drop the tasks that receive before their transport");
    }

    /// Awaiting it gives the size of the next message from `peer` under `t`, which is then in
    /// `into`. `into` must outlive the returned object.
    pending_receive take(int peer, tag t, mutable_bytes into);

    /// Delivers a whole message. Throws `errc::bad_message` when the peer exceeds its limit.
    void deliver(int peer, tag t, bytes message);

    /// Ends what comes from `peer`, because of `why`. Messages that have arrived can still be
    /// taken; all other receives from `peer` fail with `why`, and later deliveries are discarded.
    void close(int peer, std::error_code why);

    /// Discards all messages of the call that `t` belongs to, now and later. The last 1,024 such
    /// calls are remembered.
    void discard_call(tag t);

private:
    friend class detail::inbound_message;

    bool discards(tag t) const { return std::ranges::count(discarded_calls_, call_of(t)) > 0; }
    pending_receive* oldest_receive(address from);
    void pass_on(address from, detail::pooled_buffer message);

    detail::early_messages early_;
    std::multimap<address, pending_receive*> waiting_;
    std::map<int, std::error_code> closed_;
    std::deque<std::uint32_t> discarded_calls_;
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
        position_ = box_.waiting_.emplace(from_, this);
        queued_ = true;
    }

    std::size_t await_resume() const
    {
        if (error_ == errc::too_large)
            throw std::system_error(error_, "a message of " + std::to_string(size_) +
                                                " bytes from peer " + std::to_string(from_.first) +
                                                " exceeds the receive buffer of " +
                                                std::to_string(into_.size()) + " bytes");
        if (error_) throw std::system_error(error_, "peer " + std::to_string(from_.first));
        return size_;
    }

private:
    friend class mailbox;
    friend class detail::inbound_message;

    void leave_queue()
    {
        if (std::exchange(queued_, false)) box_.waiting_.erase(position_);
    }
    void fill(bytes message)
    {
        size_ = message.size();
        if (message.size() > into_.size()) return fail(errc::too_large);
        // Not std::ranges::copy, which libstdc++ 12 turns into a loop over single bytes.
        std::copy(message.begin(), message.end(), into_.begin());
    }
    void complete(bytes message)
    {
        leave_queue();
        fill(message);
        wake();
    }
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

inline mailbox::pending_receive::~pending_receive()
{
    leave_queue();
    if (claim_) *claim_ = nullptr;
}

inline bool mailbox::pending_receive::await_ready()
{
    if (const auto message = box_.early_.take(from_)) {
        fill(message->get());
        return true;
    }
    const auto closed = box_.closed_.find(from_.first);
    if (closed == box_.closed_.end()) return false;
    fail(closed->second);
    return true;
}

inline mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into)
{
    return {*this, {peer, t}, into};
}

inline mailbox::pending_receive* mailbox::oldest_receive(address from)
{
    const auto found = waiting_.lower_bound(from);
    return found != waiting_.end() && found->first == from ? found->second : nullptr;
}

inline void mailbox::deliver(int peer, tag t, bytes message)
{
    const address from{peer, t};
    pending_receive* const next = oldest_receive(from);
    if (next && next->into_.size() >= message.size()) return next->complete(message);
    if (discards(t) || closed_.contains(peer)) return;
    early_.check(peer, message.size());
    detail::pooled_buffer copy(message.size());
    std::copy(message.begin(), message.end(), copy.get().begin());
    early_.reserve(peer, message.size());
    pass_on(from, std::move(copy));
}

/// Gives a message, whose cost has been reserved, to the oldest receive, or keeps it for a later
/// one.
inline void mailbox::pass_on(address from, detail::pooled_buffer message)
{
    pending_receive* const next = oldest_receive(from);
    if (!next) return early_.add(from, std::move(message));
    next->complete(message.get());
    early_.release(from.first, message.get().size());
}

inline void mailbox::close(int peer, std::error_code why)
{
    closed_.emplace(peer, why);
    std::vector<pending_receive*> lost;
    for (const auto& [from, receive] : waiting_)
        if (from.first == peer) lost.push_back(receive);
    for (auto* receive : lost) {
        receive->leave_queue();
        receive->fail(why);
        receive->wake();
    }
}

inline void mailbox::discard_call(tag t)
{
    if (discards(t)) return;
    constexpr std::size_t remembered = 1024;
    if (discarded_calls_.size() == remembered) discarded_calls_.pop_front();
    discarded_calls_.push_back(call_of(t));
    early_.discard_call(t);
}

}  // namespace papilio
