#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/base.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace papilio {

/// Pairs messages that arrive with receives that wait for them, and keeps early messages up to a
/// limit. For authors of transports. Belongs to one loop; must outlive the receives.
class mailbox {
    using address = std::pair<int, tag>;

public:
    class receipt;
    class landing;

    /// Early messages of one peer may hold `limit` bytes; whoever exceeds it breaks the protocol,
    /// since credits cover every message in flight.
    explicit mailbox(std::size_t limit = std::size_t{64} << 20) noexcept : limit_(limit) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox()
    {
        PAPILIO_CHECK(waiting_.empty(), "drop the tasks that receive before their transport");
    }

    /// Awaiting it gives the size of the next message from `peer` under `t`, which then lies in
    /// `into`. `into` must outlive the receipt.
    receipt take(int peer, tag t, mutable_bytes into);

    /// Hands in a whole message. Throws `errc::bad_message` when the peer exceeds its limit.
    void deliver(int peer, tag t, bytes message);

    /// Nothing more comes from `peer`, because of `why`: not even what is delivered all the same.
    /// What has arrived can still be taken; the rest of its receives fail with `why`.
    void close(int peer, std::error_code why);

    /// Drops all messages of the call that `t` belongs to, those that have come and those that
    /// will. The last 1,024 such calls are remembered.
    void retire(tag t);

private:
    /// What an early message of `size` bytes holds, bookkeeping included: empty ones count too.
    static constexpr std::size_t cost(std::size_t size) noexcept
    {
        return detail::pooled_buffer::held(size) + 128;
    }

    bool retired(tag t) const { return std::ranges::count(retired_, call_of(t)) > 0; }
    receipt* waiting(address from);

    std::size_t limit_;
    std::multimap<address, detail::pooled_buffer> arrived_;
    std::multimap<address, receipt*> waiting_;
    std::map<int, std::size_t> early_;  // what each peer's early messages hold
    std::map<int, std::error_code> closed_;
    std::deque<std::uint32_t> retired_;
};

/// One receive.
class [[nodiscard]] mailbox::receipt {
public:
    receipt(mailbox& box, address from, mutable_bytes into) noexcept
        : box_(box), from_(from), into_(into)
    {
    }
    receipt(const receipt&) = delete;
    receipt& operator=(const receipt&) = delete;
    ~receipt();

    bool await_ready();

    template <class P>
    void await_suspend(std::coroutine_handle<P> self)
    {
        wake_.target = self;
        on_ = self.promise().on;
        place_ = box_.waiting_.emplace(from_, this);
        queued_ = true;
    }

    std::size_t await_resume() const
    {
        if (error_) throw std::system_error(error_);
        return size_;
    }

private:
    friend class mailbox;
    friend class landing;

    void leave_queue()
    {
        if (std::exchange(queued_, false)) box_.waiting_.erase(place_);
    }
    void fill(bytes message)
    {
        if (message.size() > into_.size()) return fail(errc::too_large);
        // Not std::ranges::copy, which libstdc++ 12 turns into a loop over single bytes.
        std::copy(message.begin(), message.end(), into_.begin());
        size_ = message.size();
    }
    void fail(std::error_code error) noexcept { error_ = error; }
    void wake() noexcept { on_->post(wake_); }

    mailbox& box_;
    address from_;
    mutable_bytes into_;
    std::size_t size_ = 0;
    std::error_code error_;
    bool queued_ = false;
    std::multimap<address, receipt*>::iterator place_;
    landing* landing_ = nullptr;  // a message that is being written into our buffer
    loop* on_ = nullptr;
    detail::resume wake_;
};

/// A message that arrives piece by piece. Its bytes go straight into the buffer of the receive that
/// waits for it, if there is one, else into memory of the mailbox; those of a call that is retired,
/// of a peer that is closed, or of a receive that is dropped half-way, go nowhere.
class mailbox::landing {
public:
    /// Throws `errc::bad_message` when the peer exceeds its limit: nothing is allocated before.
    landing(mailbox& box, int peer, tag t, std::size_t size)
        : box_(box), from_(peer, t), left_(size)
    {
        receipt* const next = box_.waiting(from_);
        if (next && next->into_.size() >= size) {
            receiver_ = next;
            next->leave_queue();
            next->landing_ = this;
            next->size_ = size;
            room_ = next->into_.first(size);
        } else if (!box_.retired(t) && !box_.closed_.contains(peer)) {
            auto& early = box_.early_[peer];
            if (early > box_.limit_ || size > box_.limit_ - early)
                throw std::system_error(errc::bad_message, "more early messages than agreed");
            room_ = kept_.resize(size);
            early += held_ = cost(size);
        }
    }
    landing(const landing&) = delete;
    landing& operator=(const landing&) = delete;
    ~landing()
    {
        if (held_) box_.early_[from_.first] -= held_;
        if (!receiver_) return;
        receiver_->landing_ = nullptr;  // the link broke half-way
        receiver_->fail(errc::disconnected);
        receiver_->wake();
    }

    std::size_t left() const noexcept { return left_; }

    /// Where the next bytes belong: `left()` bytes, or empty if they are to be thrown away. Valid
    /// until another task runs.
    mutable_bytes room() const noexcept { return room_; }

    /// The next `n` bytes are in place, or thrown away.
    void advance(std::size_t n) noexcept
    {
        left_ -= n;
        room_ = room_.subspan(std::min(n, room_.size()));
    }

    /// Nothing is left: passes the message on.
    void finish()
    {
        PAPILIO_CHECK(left_ == 0, "a landing finishes with its last byte");
        if (receiver_) {
            receiver_->landing_ = nullptr;
            std::exchange(receiver_, nullptr)->wake();
        } else if (held_ && !box_.retired(from_.second)) {
            keep();
        }
    }

private:
    friend class receipt;

    void keep()
    {
        if (receipt* const next = box_.waiting(from_)) {  // posted meanwhile, or too small
            next->leave_queue();
            next->fill(kept_.get());
            next->wake();
        } else {
            box_.arrived_.emplace(from_, std::move(kept_));
            held_ = 0;  // until somebody takes it
        }
    }

    void abandon() noexcept
    {
        receiver_ = nullptr;
        room_ = {};
    }

    mailbox& box_;
    address from_;
    std::size_t left_;
    receipt* receiver_ = nullptr;
    std::size_t held_ = 0;  // our share of the peer's limit
    detail::pooled_buffer kept_;
    mutable_bytes room_;
};

inline mailbox::receipt::~receipt()
{
    leave_queue();
    if (landing_) landing_->abandon();
}

inline bool mailbox::receipt::await_ready()
{
    const auto found = box_.arrived_.lower_bound(from_);
    if (found != box_.arrived_.end() && found->first == from_) {
        const bytes message = found->second.get();
        fill(message);
        box_.early_[from_.first] -= cost(message.size());
        box_.arrived_.erase(found);
        return true;
    }
    const auto closed = box_.closed_.find(from_.first);
    if (closed == box_.closed_.end()) return false;
    fail(closed->second);
    return true;
}

inline mailbox::receipt mailbox::take(int peer, tag t, mutable_bytes into)
{
    return {*this, {peer, t}, into};
}

inline mailbox::receipt* mailbox::waiting(address from)
{
    const auto found = waiting_.lower_bound(from);
    return found != waiting_.end() && found->first == from ? found->second : nullptr;
}

inline void mailbox::deliver(int peer, tag t, bytes message)
{
    landing whole(*this, peer, t, message.size());
    std::copy_n(message.begin(), whole.room().size(), whole.room().begin());
    whole.advance(message.size());
    whole.finish();
}

inline void mailbox::close(int peer, std::error_code why)
{
    closed_.emplace(peer, why);
    std::vector<receipt*> lost;
    for (const auto& [from, receive] : waiting_)
        if (from.first == peer) lost.push_back(receive);
    for (auto* receive : lost) {
        receive->leave_queue();
        receive->fail(why);
        receive->wake();
    }
}

inline void mailbox::retire(tag t)
{
    if (retired(t)) return;
    constexpr std::size_t remembered = 1024;
    if (retired_.size() == remembered) retired_.pop_front();
    retired_.push_back(call_of(t));
    for (auto i = arrived_.begin(); i != arrived_.end();) {
        if (call_of(i->first.second) == call_of(t)) {
            early_[i->first.first] -= cost(i->second.get().size());
            i = arrived_.erase(i);
        } else {
            ++i;
        }
    }
}

}  // namespace papilio
