#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL mailbox::mailbox(std::size_t limit) noexcept : early_(limit) {}

PAPILIO_DECL mailbox::~mailbox()
{
    PAPILIO_CHECK(waiting_.empty(), "drop the tasks that receive before their transport");
}

PAPILIO_DECL mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into)
{
    return {*this, {peer, t}, into};
}

PAPILIO_DECL mailbox::pending_receive::~pending_receive()
{
    leave_queue();
    if (claim_) *claim_ = nullptr;
}

PAPILIO_DECL bool mailbox::pending_receive::await_ready()
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

PAPILIO_DECL std::size_t mailbox::pending_receive::await_resume() const
{
    if (error_ == errc::too_large)
        throw std::system_error(error_, "a message of " + std::to_string(size_) +
                                            " bytes from peer " + std::to_string(from_.first) +
                                            " exceeds the receive buffer of " +
                                            std::to_string(into_.size()) + " bytes");
    if (error_) throw std::system_error(error_, "peer " + std::to_string(from_.first));
    return size_;
}

PAPILIO_DECL void mailbox::pending_receive::join_queue()
{
    position_ = box_.waiting_.emplace(from_, this);
    queued_ = true;
}

PAPILIO_DECL void mailbox::pending_receive::leave_queue()
{
    if (std::exchange(queued_, false)) box_.waiting_.erase(position_);
}

PAPILIO_DECL void mailbox::pending_receive::fill(bytes message)
{
    size_ = message.size();
    if (message.size() > into_.size()) return fail(errc::too_large);
    // Not std::ranges::copy, which libstdc++ 12 turns into a loop over single bytes.
    std::copy(message.begin(), message.end(), into_.begin());
}

PAPILIO_DECL void mailbox::pending_receive::complete(bytes message)
{
    leave_queue();
    fill(message);
    wake();
}

PAPILIO_DECL bool mailbox::discards(tag t) const
{
    return std::ranges::count(discarded_calls_, call_of(t)) > 0;
}

PAPILIO_DECL mailbox::pending_receive* mailbox::oldest_receive(address from)
{
    const auto found = waiting_.lower_bound(from);
    return found != waiting_.end() && found->first == from ? found->second : nullptr;
}

PAPILIO_DECL void mailbox::deliver(int peer, tag t, bytes message)
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
PAPILIO_DECL void mailbox::pass_on(address from, detail::pooled_buffer message)
{
    pending_receive* const next = oldest_receive(from);
    if (!next) return early_.add(from, std::move(message));
    next->complete(message.get());
    early_.release(from.first, message.get().size());
}

PAPILIO_DECL void mailbox::close(int peer, std::error_code why)
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

PAPILIO_DECL void mailbox::reopen(int peer)
{
    closed_.erase(peer);
    early_.discard_peer(peer);
}

PAPILIO_DECL void mailbox::discard_call(tag t)
{
    if (discards(t)) return;
    constexpr std::size_t remembered = 1024;
    if (discarded_calls_.size() == remembered) discarded_calls_.pop_front();
    discarded_calls_.push_back(call_of(t));
    early_.discard_call(t);
}

PAPILIO_DECL void mailbox::begin_call(tag t)
{
    const auto call = call_of(t);
    std::erase_if(discarded_calls_, [call](std::uint64_t other) {
        return other >> 4 == call >> 4 && ((call - other) & max_tag_attempt) >= 8;
    });
}

PAPILIO_DECL void detail::deliver_or_close(mailbox& inbox, int rank, int peer, tag t, bytes message)
{
    try {
        inbox.deliver(peer, t, message);
    } catch (const std::system_error& overflow) {
        log(log_level::warning, "link failed", {"rank", "peer", "why"}, rank, peer,
            overflow.code());
        inbox.close(peer, overflow.code());
    }
}

}  // namespace papilio
