#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/loan.hpp>
#include <papilio/wire/tag.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Where what was borrowed goes back to: null once the link has ended.
struct loan_returns {
    virtual ~loan_returns() = default;
    virtual void give_back(std::uint64_t number) = 0;
};

/// A message that lies in memory of its sender's, which stays mapped as long as this object lives.
/// Destroying it tells the sender that its receiver is through with it.
///
/// The sender may take the message back at any time, as when its call has failed, and a sender that
/// lies may change it while it is read. So whatever is made of the bytes counts only if the message
/// is `intact` afterwards, and what is checked must be copied before.
class lent_message {
public:
    /// `state` holds the loan's number until the sender takes it back; `memory` keeps it mapped.
    lent_message(bytes content, const std::atomic<std::uint64_t>& state, std::uint64_t number,
                 std::shared_ptr<const void> memory)
        : content_(content), state_(state), number_(number), memory_(std::move(memory))
    {
    }
    lent_message(const lent_message&) = delete;
    lent_message& operator=(const lent_message&) = delete;
    ~lent_message()
    {
        if (returns_ && *returns_) (*returns_)->give_back(number_);
    }

    /// Set by the connection that it came over.
    void set_returns(std::shared_ptr<loan_returns*> to) noexcept { returns_ = std::move(to); }

    bytes get() const noexcept { return content_; }

    /// What was read before this is what the sender has sent, if it is honest.
    bool intact() const noexcept
    {
        std::atomic_thread_fence(std::memory_order_acquire);
        return state_.load(std::memory_order_relaxed) == number_;
    }

private:
    bytes content_;
    const std::atomic<std::uint64_t>& state_;
    std::uint64_t number_;
    std::shared_ptr<const void> memory_;
    std::shared_ptr<loan_returns*> returns_;
};

/// Null: the bytes of the message are with the receiver.
using lent_ptr = std::unique_ptr<lent_message>;

/// Borrows what the other end of a stream lends. Throws `errc::bad_message` for what no honest peer
/// lends; null if the message has been taken back.
struct borrower {
    virtual ~borrower() = default;
    virtual lent_ptr borrow(const wire::loan& l) = 0;
};

/// A message that is lent, or a copy of it: then its sender need not keep it.
struct made_loan {
    wire::loan where;
    bool copied = false;
};

/// What a stream may have, where both its ends reach each other's memory.
struct lending : borrower {
    /// Lends a message to the other end. Nothing if it should rather be sent.
    virtual std::optional<made_loan> lend(tag t, bytes message) = 0;

    /// The memory of a message that was lent is about to change, or nobody was told of it. If the
    /// other end was `told`, it will return it.
    virtual void take_back(std::uint64_t number, bool told) noexcept = 0;

    /// The other end is through with a loan, of so many bytes.
    virtual std::size_t returned(std::uint64_t number) noexcept = 0;
};

}  // namespace papilio::detail
