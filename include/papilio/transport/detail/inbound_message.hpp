#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/loan.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// A message that a mailbox receives piece by piece. Its bytes are written straight into the buffer
/// of the receive that waits for it, if there is one, else into memory of the mailbox. They are
/// discarded if that receive is too small or dropped half-way, the call discarded, or the peer
/// closed.
class inbound_message {
public:
    /// Throws `errc::bad_message` when the peer sends more than it may: nothing is allocated
    /// before. Of a message that is `lent`, `size` bytes have said so, and nothing is to come.
    inbound_message(mailbox& box, int peer, tag t, std::size_t size, lent_ptr lent = nullptr)
        : box_(box), from_(peer, t), size_(size), left_(lent ? 0 : size), lent_(std::move(lent))
    {
        if (box_.closed_.contains(peer)) return;
        using state = announced_messages::state;
        const auto announced = box_.announced_.take(from_, size);
        if (announced) box_.confirm(peer, *announced);
        const bool granted = announced && announced->granted();
        const bool refused = announced && announced->is == state::refused;
        auto* const next = refused ? nullptr : box_.oldest_receive(from_);
        if (!next && !refused && !box_.past_.drops(t)) {
            if (granted && announced->is != state::spare) throw_surplus();
            keep(granted);
        } else {
            if (!granted) box_.windows_.passes(peer, size);
            if (next && lent_)
                next->complete({{}, std::move(lent_)});
            else if (next)
                claim(*next);
        }
    }
    inbound_message(const inbound_message&) = delete;
    inbound_message& operator=(const inbound_message&) = delete;

    /// A receive whose message ends half-way fails with `errc::disconnected`.
    ~inbound_message()
    {
        if (kept_) {
            box_.early_.arrived(from_);
            box_.early_.end(from_.first, size_);
        }
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
        return receive_ || kept_ ? destination_ : mutable_bytes{};
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
        } else if (kept_ && !box_.past_.drops(from_.second)) {
            kept_ = false;  // what it costs goes with the message
            box_.early_.arrived(from_);
            box_.pass_on(from_, {std::move(memory_), std::move(lent_)});
        } else {
            box_.answer_call(from_);
        }
    }

private:
    /// The message is written to the buffer of a receive, or fails it.
    void claim(mailbox::pending_receive& by) noexcept
    {
        if (size_ > by.into_.size()) return by.refuse(size_);
        receive_ = &by;
        by.leave_queue();
        by.claim_ = &receive_;
        by.size_ = size_;
        destination_ = by.into_.first(size_);
    }

    [[noreturn]] void throw_surplus() const
    {
        throw std::system_error(errc::bad_message,
                                "peer " + std::to_string(from_.first) + " sent a message of " +
                                    std::to_string(size_) +
                                    " bytes that it was asked for, after another in its place");
    }

    /// No receive waits for it.
    void keep(bool granted)
    {
        const int peer = from_.first;
        if (!granted) box_.windows_.check(peer, size_);
        destination_ = memory_.resize(size_);
        if (lent_) std::ranges::fill(destination_, std::byte{});
        if (granted)
            box_.windows_.keep_granted(peer, size_);
        else
            box_.windows_.keep(peer, size_);
        box_.early_.begin(from_, size_);
        kept_ = true;
    }

    mailbox& box_;
    early_messages::address from_;
    std::size_t size_;
    std::size_t left_;
    mailbox::pending_receive* receive_ = nullptr;  // null again once that receive is dropped
    bool kept_ = false;
    pooled_buffer memory_;
    lent_ptr lent_;
    mutable_bytes destination_;
};

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline void mailbox::deliver(int peer, tag t, bytes message)
{
    detail::inbound_message arriving(*this, peer, t, message.size());
    const auto to = arriving.destination();
    if (!to.empty()) std::copy(message.begin(), message.end(), to.begin());
    arriving.advance(message.size());
    arriving.finish();
}

inline void mailbox::deliver_lent(int peer, tag t, detail::lent_ptr message)
{
    detail::inbound_message arriving(*this, peer, t, wire::loan::encoded_size, std::move(message));
    arriving.finish();
}

}  // namespace papilio
