#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/call_numbers.hpp>
#include <papilio/transport/mailbox.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a transport that has a mailbox says of calls: their numbers, and what its mailbox knows of
/// them. A base of such transports.
class call_mailbox {
public:
    call_mailbox(const call_mailbox&) = delete;
    call_mailbox& operator=(const call_mailbox&) = delete;

    call_numbers& calls() noexcept { return calls_; }
    void begin_call(tag t) { inbox_.begin_call(t); }
    bool watch_call(tag t, gate& heard)
    {
        inbox_.watch_call(t, heard);
        return true;
    }
    void unwatch_call(const gate& heard) noexcept { inbox_.unwatch_call(heard); }
    void leave_answer(tag t, std::vector<std::byte> answer)
    {
        inbox_.leave_answer(t, std::move(answer));
    }

    /// The most that early messages have cost so far, bookkeeping included, in bytes.
    std::size_t most_early_bytes() const noexcept { return inbox_.most_held(); }

protected:
    /// The limits of the mailbox.
    template <class... Limits>
    explicit call_mailbox(Limits... limits) noexcept : inbox_(limits...)
    {
    }
    ~call_mailbox() = default;

    call_numbers calls_;
    mailbox inbox_;
};

}  // namespace papilio::detail
