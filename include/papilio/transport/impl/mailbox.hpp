#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL mailbox::mailbox(std::size_t limit, std::size_t total, std::size_t peers) noexcept
    : windows_(limit, total, peers), early_(windows_)
{
}

PAPILIO_DECL mailbox::~mailbox()
{
    PAPILIO_CHECK(waiting_.empty(), "drop the tasks that receive before their transport");
}

PAPILIO_DECL mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into)
{
    return {*this, {peer, t}, into};
}

PAPILIO_DECL mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into,
                                                    detail::lent_ptr& lent)
{
    return {*this, {peer, t}, into, &lent};
}

PAPILIO_DECL mailbox::pending_receive::~pending_receive()
{
    if (claim_) *claim_ = nullptr;
    if (!queued_) return;
    leave_queue();
    if (box_.announced_.empty()) return;
    const auto left = box_.waiting_.count(from_), taken = box_.early_.arriving(from_);
    box_.announced_.dropped(from_, left - std::min(left, taken));
}

PAPILIO_DECL bool mailbox::pending_receive::await_ready()
{
    while (auto message = box_.early_.take(from_))
        if (fill(*message)) return true;
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
    box_.match(from_);
}

PAPILIO_DECL void mailbox::pending_receive::leave_queue()
{
    if (std::exchange(queued_, false)) box_.waiting_.erase(position_);
}

/// False if the message has been taken back: then it never came.
PAPILIO_DECL bool mailbox::pending_receive::fill(detail::kept_message& message)
{
    if (message.lent) return fill(std::move(message.lent));
    const auto content = message.get();
    size_ = content.size();
    if (size_ > into_.size()) {
        fail(errc::too_large);
        return true;
    }
    // Not std::ranges::copy, which libstdc++ 12 turns into a loop over single bytes.
    std::copy(content.begin(), content.end(), into_.begin());
    return true;
}

PAPILIO_DECL bool mailbox::pending_receive::fill(detail::lent_ptr message)
{
    if (!message->intact()) return false;
    const auto content = message->get();
    const bool fits = content.size() <= into_.size();
    if (fits && !lent_) std::copy(content.begin(), content.end(), into_.begin());
    if (!message->intact()) return false;
    size_ = content.size();
    if (!fits) fail(errc::too_large);
    if (fits && lent_) *lent_ = std::move(message);
    return true;
}

PAPILIO_DECL bool mailbox::pending_receive::complete(detail::kept_message message)
{
    if (!fill(message)) return false;
    leave_queue();
    wake();
    return true;
}

/// A message of `size` bytes is too large for it.
PAPILIO_DECL void mailbox::pending_receive::refuse(std::size_t size)
{
    leave_queue();
    size_ = size;
    fail(errc::too_large);
    wake();
}

PAPILIO_DECL bool mailbox::discards(tag t) const
{
    return std::ranges::count(discarded_calls_, call_of(t)) > 0;
}

/// The oldest receive for an address, behind the first few.
PAPILIO_DECL mailbox::pending_receive* mailbox::oldest_receive(address from, std::size_t after)
{
    auto found = waiting_.lower_bound(from);
    while (after > 0 && found != waiting_.end() && found->first == from) ++found, --after;
    return found != waiting_.end() && found->first == from ? found->second : nullptr;
}

/// Gives a message, whose cost is accounted for, to the oldest receive, or keeps it for a later
/// one.
PAPILIO_DECL void mailbox::pass_on(address from, detail::kept_message message)
{
    pending_receive* const next = oldest_receive(from);
    if (!next) return early_.add(from, std::move(message));
    const auto size = message.get().size();
    next->complete(std::move(message));
    early_.end(from.first, size);
}

PAPILIO_DECL void mailbox::note(int peer, const wire::flow& f)
{
    if (closed_.contains(peer)) return;
    const address from{peer, tag{f.subject}};
    switch (f.kind) {
    case wire::flow_kind::announce:
        if (discards(from.second)) return answer(peer, wire::flow_kind::decline, f.number);
        announced_.add(from, f.number, f.size);
        match(from);
        windows_.raise(peer);
        break;
    case wire::flow_kind::withdraw:
        if (const auto announced = announced_.remove(from, f.number)) confirm(peer, *announced);
        match(from);  // the receive that it was granted to waits for the next one
        break;
    case wire::flow_kind::over: end_call(peer, from.second); break;
    default: break;
    }
}

/// Asks for the messages that are announced for an address, one for each receive that waits there
/// and has none on its way. One that is too large for its receive fails it, and need not come.
PAPILIO_DECL void mailbox::match(address from)
{
    using state = detail::announced_messages::state;
    while (!announced_.empty()) {
        const auto standing = announced_.of(from);
        if (!standing.next) return;
        pending_receive* const next =
            oldest_receive(from, standing.granted + early_.arriving(from));
        if (!next) return;
        auto& message = *standing.next;
        const bool fits = message.size <= next->into_.size();
        if (!fits) next->refuse(message.size);
        announced_.answer(from, message, fits ? state::granted : state::refused);
        answer(from.first, fits ? wire::flow_kind::grant : wire::flow_kind::decline,
               message.number);
    }
}

PAPILIO_DECL void mailbox::answer(int peer, wire::flow_kind kind, std::uint64_t number)
{
    windows_.reply(peer, {.kind = kind, .number = number});
}

/// An announcement has ended with its message or a withdrawal. If it was not answered before, it
/// is now: its sender counts it until then.
PAPILIO_DECL void mailbox::confirm(int peer, const detail::announced_messages::announced& ended)
{
    if (ended.is == detail::announced_messages::state::unanswered)
        answer(peer, wire::flow_kind::decline, ended.number);
}

/// What `peer` has sent of the call is of no use any more, but for a no: that tells whoever is late
/// why the call has failed. Of these, too, the last few will do. A call that is discarded here
/// keeps nothing.
PAPILIO_DECL void mailbox::end_call(int peer, tag t)
{
    constexpr std::size_t remembered = 64;
    early_.discard_all_but_no(peer, t);
    auto& ended = ended_calls_[peer];
    if (discards(t) || std::ranges::count(ended, call_of(t), call_of) > 0) return;
    if (ended.size() == remembered) {
        early_.discard_call(peer, ended.front());
        ended.pop_front();
    }
    ended.push_back(t);
}

PAPILIO_DECL void mailbox::close(int peer, std::error_code why)
{
    closed_.emplace(peer, why);
    windows_.close(peer);
    announced_.remove_if([peer](const address& from, const auto&) { return from.first == peer; });
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
    ended_calls_.erase(peer);
    early_.discard_peer(peer);
}

PAPILIO_DECL void mailbox::discard_call(tag t)
{
    if (discards(t)) return;
    if (discarded_calls_.size() == calls_remembered) discarded_calls_.pop_front();
    discarded_calls_.push_back(call_of(t));
    early_.discard_call(t);
    for (auto& [peer, ended] : ended_calls_)
        std::erase_if(ended, [t](tag other) { return call_of(other) == call_of(t); });
    announced_.remove_if([&](const address& from, const auto& message) {
        if (message.is != detail::announced_messages::state::unanswered ||
            call_of(from.second) != call_of(t))
            return false;
        answer(from.first, wire::flow_kind::decline, message.number);
        return true;
    });
}

PAPILIO_DECL void mailbox::begin_call(tag t)
{
    const auto call = call_of(t);
    const auto is_past = [call](std::uint64_t other) {
        return other >> 4 == call >> 4 && ((call - other) & max_tag_attempt) >= 8;
    };
    std::erase_if(discarded_calls_, is_past);
    for (auto& [peer, ended] : ended_calls_)
        std::erase_if(ended, [&](tag other) { return is_past(call_of(other)); });
}

}  // namespace papilio
