#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/shm/arena.hpp>
#include <papilio/transport/shm/memory.hpp>
#include <papilio/transport/shm/sealed_file.hpp>
#include <papilio/wire/loan.hpp>
#include <papilio/wire/tag.hpp>

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::shm::detail {

/// What the two ends of a link lend each other. Messages of calls are lent if they are large: from
/// where they lie, if that is in the arena, else as a copy in it. The same result goes to several
/// peers, who share a copy: its sends last until it is returned, so that it does not change before.
///
/// Neither end trusts the other: offsets are checked against the size of a sealed file, and what is
/// noted in shared memory only tells that a message is not to be used any more.
class loans final : public papilio::detail::lending {
public:
    /// `theirs` is the other end's arena; without a descriptor it lends nothing. `made` tells
    /// whether this end made the memory of the rings.
    loans(ring_memory rings, bool made, std::shared_ptr<arena> own, owned_fd theirs)
        : rings_(std::move(rings)),
          mine_(rings_.loans(made ? 0 : 1)),
          others_(rings_.loans(made ? 1 : 0)),
          arena_(std::move(own)),
          file_(std::move(theirs)),
          file_size_(size_of_sealed(file_)),
          borrowed_(std::make_shared<borrowed>())
    {
    }

    /// What the other end has not returned it may still read.
    ~loans() override
    {
        for (auto& entry : lent_)
            if (entry.copy) entry.copy->lose();
    }

    std::optional<papilio::detail::made_loan> lend(tag t, bytes message) override
    {
        const auto kind = fields_of(t).kind;
        if (message.size() < least || !is_of_call(kind)) return std::nullopt;
        const bool is_result = kind == message_kind::result;
        const auto slot = free_slot();
        if (!slot || arena_->file().get() < 0) return std::nullopt;
        auto& entry = lent_[*slot];
        auto offset = arena_->offset_of(message);
        if (!offset) {
            entry.copy = copy_of(message, is_result);
            if (!entry.copy) return std::nullopt;
            offset = entry.copy->offset();
            copied_ += message.size();
        }
        entry.number = ++count_ * wire::max_loans + *slot;
        entry.size = message.size();
        mine_[*slot].store(entry.number, std::memory_order_release);
        const auto size = static_cast<std::uint32_t>(message.size());
        return papilio::detail::made_loan{{t, entry.number, *offset, size},
                                          entry.copy && !is_result};
    }

    void take_back(std::uint64_t number, bool told) noexcept override
    {
        const auto slot = number % wire::max_loans;
        auto& entry = lent_[slot];
        if (entry.number != number) return;
        mine_[slot].store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // before the bytes change
        if (std::exchange(entry.copy, nullptr)) copied_ -= entry.size;
        if (!told) entry.number = 0;
    }

    std::size_t returned(std::uint64_t number) noexcept override
    {
        auto& entry = lent_[number % wire::max_loans];
        if (entry.number != number) return 0;
        take_back(number, false);
        return entry.size;
    }

    papilio::detail::lent_ptr borrow(const wire::loan& l) override
    {
        const bool inside = l.offset <= file_size_ && l.size <= file_size_ - l.offset;
        if (!inside)
            throw std::system_error(errc::bad_message, "a loan of " + std::to_string(l.size) +
                                                           " bytes at " + std::to_string(l.offset) +
                                                           " of memory that has " +
                                                           std::to_string(file_size_));
        if (borrowed_->count == wire::max_loans)
            throw std::system_error(errc::bad_message, "more is lent than may be at a time");
        if (!borrowed_->from) {
            borrowed_->from.emplace(file_, file_size_, PROT_READ, MAP_NORESERVE);
            borrowed_->states = rings_.held();
        }
        ++borrowed_->count;
        std::shared_ptr<const void> held(borrowed_.get(),
                                         [b = borrowed_](const void*) { --b->count; });
        auto lent = std::make_unique<papilio::detail::lent_message>(
            bytes(borrowed_->from->data() + l.offset, l.size), others_[l.number % wire::max_loans],
            l.number, std::move(held));
        return lent->intact() ? std::move(lent) : nullptr;
    }

private:
    static constexpr std::size_t least = std::size_t{32} << 10;
    static constexpr std::size_t most_copied = std::size_t{4} << 20;

    /// What this end has lent: free if the number is 0.
    struct slot_state {
        std::uint64_t number = 0;
        std::size_t size = 0;
        std::shared_ptr<arena::copy> copy;
    };

    /// The other end's memory, as long as any message of it is held.
    struct borrowed {
        std::optional<mapping> from;
        std::shared_ptr<const void> states;
        std::size_t count = 0;
    };

    std::optional<std::size_t> free_slot() const
    {
        for (std::size_t slot = 0; slot < lent_.size(); ++slot)
            if (lent_[slot].number == 0) return slot;
        return std::nullopt;
    }

    /// Null if there is no memory for it, or copies of this link take too much.
    std::shared_ptr<arena::copy> copy_of(bytes message, bool is_result)
    {
        if (copied_ + message.size() > most_copied) return nullptr;
        try {
            return is_result ? arena_->shared_copy_of(message) : arena_->copy_of(message);
        } catch (const std::bad_alloc&) {
        } catch (const std::system_error&) {
            // It is sent through the ring.
        }
        return nullptr;
    }

    ring_memory rings_;
    loan_states& mine_;
    loan_states& others_;
    std::shared_ptr<arena> arena_;
    owned_fd file_;
    std::size_t file_size_;
    std::array<slot_state, wire::max_loans> lent_;
    std::uint64_t count_ = 0;
    std::size_t copied_ = 0;
    std::shared_ptr<borrowed> borrowed_;
};

}  // namespace papilio::shm::detail
