#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The numbers of the calls that a peer makes in one group: which comes next, which of them run,
/// and how often each was begun. Peers that make the same calls get the same answers, whatever the
/// order in which their calls begin. For authors of transports, who keep one for each group.
///
/// The count tells the calls under one number apart for good: a call that failed may be made again
/// under its number, and what is left of the first on the way is not taken for the second.
class call_numbers {
public:
    /// The number of the next call that names none: 1, 2, ..., and 1 again after `max_call`.
    std::uint32_t next() noexcept { return next_++ % max_call + 1; }

    /// What `next` will return.
    std::uint32_t upcoming() const noexcept { return next_ % max_call + 1; }

    /// How often a call under `number` has begun, modulo 2^15.
    std::uint32_t begun(std::uint32_t number) const noexcept
    {
        return number < calls_.size() ? calls_[number].begun : 0;
    }

    /// A call under `number`, 1 to `max_call`, begins; returns how often one did before, modulo
    /// 2^15. Throws `errc::bad_argument` while such a call runs.
    std::uint32_t begin(std::uint32_t number)
    {
        if (number >= calls_.size()) calls_.resize(std::size_t{number} + 1);
        auto& call = calls_[number];
        if (call.running)
            throw std::system_error(errc::bad_argument,
                                    "call " + std::to_string(number) +
                                        " of this group still runs: wait for it, or give "
                                        "call_options::call another number");
        call.running = true;
        const std::uint32_t before = call.begun;
        ++call.begun;
        return before;
    }

    /// This peer says yes to the call under `number`, which runs: only the others can fail it now.
    /// Throws `errc::aborted` if it must not.
    void commit(std::uint32_t number)
    {
        if (contains(forbidden_, number)) throw std::system_error(errc::aborted);
        committed_.push_back(number);
    }

    /// From now on this peer must not say yes to the call under `number`. Returns false if it has.
    bool forbid(std::uint32_t number)
    {
        if (contains(committed_, number)) return false;
        if (number < calls_.size() && calls_[number].running) forbidden_.push_back(number);
        return true;
    }

    /// The call under `number` has ended.
    void end(std::uint32_t number) noexcept
    {
        calls_[number].running = false;
        std::erase(committed_, number);
        std::erase(forbidden_, number);
    }

private:
    struct state {
        std::uint16_t running : 1 = 0;
        std::uint16_t begun : 15 = 0;
    };

    static bool contains(const std::vector<std::uint32_t>& list, std::uint32_t number) noexcept
    {
        return std::ranges::find(list, number) != list.end();
    }

    std::uint32_t next_ = 0;
    std::vector<state> calls_;              // by number; at most 1 MiB
    std::vector<std::uint32_t> committed_;  // of those that run
    std::vector<std::uint32_t> forbidden_;
};

}  // namespace papilio
