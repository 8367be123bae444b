#pragma once

#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// The priorities of calls, those of the last 64 calls for which one was set.
class call_priorities {
public:
    void set(tag t, int priority)
    {
        std::erase_if(known_, [&](const auto& k) { return k.first == call_of(t); });
        if (known_.size() == max_known) known_.pop_front();
        known_.emplace_back(call_of(t), priority);
    }

    /// The priority of the call that `t` belongs to; zero if none was set.
    int of(tag t) const noexcept
    {
        const auto found =
            std::ranges::find(known_, call_of(t), &std::pair<std::uint64_t, int>::first);
        return found == known_.end() ? 0 : found->second;
    }

private:
    static constexpr std::size_t max_known = 64;
    std::deque<std::pair<std::uint64_t, int>> known_;
};

}  // namespace papilio::detail
