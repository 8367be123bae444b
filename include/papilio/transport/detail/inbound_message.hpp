#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// A message that a mailbox receives piece by piece. Its bytes are written straight into the buffer
/// of the receive that waits for it, if there is one that is large enough, else into memory of the
/// mailbox. They are discarded if the call is discarded, the peer closed, or the receive dropped
/// half-way.
class inbound_message {
public:
    /// Throws `errc::bad_message` when the peer exceeds its limit: nothing is allocated before.
    inbound_message(mailbox& box, int peer, tag t, std::size_t size)
        : box_(box), from_(peer, t), size_(size), left_(size)
    {
        auto* const next = box_.oldest_receive(from_);
        if (next && next->into_.size() >= size) {
            receive_ = next;
            next->leave_queue();
            next->claim_ = &receive_;
            next->size_ = size;
            destination_ = next->into_.first(size);
        } else if (!box_.discards(t) && !box_.closed_.contains(peer)) {
            box_.early_.check(peer, size);
            destination_ = kept_.resize(size);
            box_.early_.reserve(peer, size);
            reserved_ = true;
        }
    }
    inbound_message(const inbound_message&) = delete;
    inbound_message& operator=(const inbound_message&) = delete;

    /// A receive whose message ends half-way fails with `errc::disconnected`.
    ~inbound_message()
    {
        if (reserved_) box_.early_.release(from_.first, size_);
        fail(errc::disconnected);
    }

    /// The receive, if one waits for it, fails with `why`. Nothing else is to be done with it then.
    void fail(std::error_code why) noexcept
    {
        if (!receive_) return;
        receive_->claim_ = nullptr;
        receive_->fail(why);
        std::exchange(receive_, nullptr)->wake();
    }

    /// Bytes that are still to come.
    std::size_t left() const noexcept { return left_; }

    /// Where the next bytes belong: `left()` bytes, or empty if they are to be discarded. Valid
    /// until another task runs.
    mutable_bytes destination() const noexcept
    {
        return receive_ || reserved_ ? destination_ : mutable_bytes{};
    }

    /// The next `n` bytes have been written to `destination()`, or discarded.
    void advance(std::size_t n) noexcept
    {
        left_ -= n;
        destination_ = destination_.subspan(std::min(n, destination_.size()));
    }

    /// Completes the receive, or keeps the message for a later one. No bytes may be left.
    void finish()
    {
        PAPILIO_CHECK(left_ == 0, "a message finishes with its last byte");
        if (receive_) {
            receive_->claim_ = nullptr;
            std::exchange(receive_, nullptr)->wake();
        } else if (reserved_ && !box_.discards(from_.second)) {
            reserved_ = false;  // the reservation goes with the message
            box_.pass_on(from_, std::move(kept_));
        }
    }

private:
    mailbox& box_;
    early_messages::address from_;
    std::size_t size_;
    std::size_t left_;
    mailbox::pending_receive* receive_ = nullptr;  // null again once that receive is dropped
    bool reserved_ = false;
    pooled_buffer kept_;
    mutable_bytes destination_;
};

}  // namespace papilio::detail
