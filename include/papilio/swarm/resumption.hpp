#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What the voters of the last settled group say that they hold, when the host of their run has
/// come back. They may know of a later round than the host, and together they are believed.
class resumption {
public:
    using held_state = std::pair<std::uint32_t, std::string>;  // rounds done, and the digest

    resumption(std::vector<std::uint64_t> voters, duration wait)
        : voters_(std::move(voters)), wait_(wait)
    {
    }

    void note(std::uint64_t identity, std::uint32_t round, const std::string& digest,
              time_point now)
    {
        if (!over_at_) over_at_ = later(now, wait_);
        if (identity != 0 && std::ranges::find(voters_, identity) != voters_.end())
            held_[identity] = {round, digest};
    }

    /// When it ends in any case; `max()` before anybody has said anything.
    time_point over_at() const { return over_at_.value_or(time_point::max()); }

    /// Whether more than half of the voters agree, all have spoken, or they had time enough.
    bool over(time_point now) const
    {
        return of_majority() || held_.size() == voters_.size() || now >= over_at();
    }

    /// The state that more than half of the voters hold, if there is one.
    std::optional<held_state> of_majority() const
    {
        std::map<held_state, std::size_t> count;
        for (const auto& [identity, state] : held_)
            if (!state.second.empty() && is_majority(++count[state])) return state;
        return std::nullopt;
    }

private:
    bool is_majority(std::size_t count) const { return 2 * count > voters_.size(); }

    std::vector<std::uint64_t> voters_;
    duration wait_;
    std::map<std::uint64_t, held_state> held_;
    std::optional<time_point> over_at_;
};

}  // namespace papilio::detail
