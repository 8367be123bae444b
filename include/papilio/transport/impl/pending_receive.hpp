#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/mailbox.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

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

}  // namespace papilio
