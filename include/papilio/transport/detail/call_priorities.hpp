#pragma once

#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace papilio::detail {

/// Which calls go before others. The last 64 that were told of are remembered.
class call_priorities {
public:
    void set(tag t, int priority)
    {
        std::erase_if(known_, [&](const auto& k) { return k.first == call_of(t); });
        if (known_.size() == most) known_.pop_front();
        known_.emplace_back(call_of(t), priority);
    }

    /// Zero unless told.
    int of(tag t) const noexcept
    {
        const auto found =
            std::ranges::find(known_, call_of(t), &std::pair<std::uint32_t, int>::first);
        return found == known_.end() ? 0 : found->second;
    }

private:
    static constexpr std::size_t most = 64;
    std::deque<std::pair<std::uint32_t, int>> known_;
};

}  // namespace papilio::detail
