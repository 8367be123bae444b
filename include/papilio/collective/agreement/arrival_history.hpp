#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// How many messages had come from each partner at each look, since the last of those who have
/// begun did so: before that a call says nothing of how fast it is. Long calls are remembered in
/// outline. Pure.
class arrival_history {
public:
    struct sample {
        time_point when{};
        std::uint64_t all = 0;            ///< messages, of all partners
        std::vector<std::uint32_t> came;  ///< by partner
    };

    /// A look, at which so many had come, by partner.
    void note(time_point now, std::vector<std::uint32_t> came)
    {
        sample s{.when = now, .all = 0, .came = std::move(came)};
        for (const auto n : s.came) s.all += n;
        const auto begun = std::ranges::count_if(s.came, [](auto n) { return n > 0; });
        if (begun != std::exchange(begun_, begun)) samples_.clear();
        if (begun == 0) return;
        if (samples_.size() == most) thin_out();
        samples_.push_back(std::move(s));
    }

    /// This process stood still for so long, and nothing of that is another's fault.
    void pause(duration d, time_point now)
    {
        for (auto& s : samples_) s.when += d;
        resumed_ = now;
    }

    /// When it last went on after that.
    time_point resumed() const noexcept { return resumed_; }

    const std::vector<sample>& samples() const noexcept { return samples_; }
    bool empty() const noexcept { return samples_.empty(); }
    const sample& first() const { return samples_.front(); }
    const sample& last() const { return samples_.back(); }

    /// How many messages have come since the first sample.
    std::uint64_t come() const { return empty() ? 0 : last().all - first().all; }

    /// The first look that had seen the first of the latest messages of partner i, so many.
    const sample& since(std::size_t i, std::uint32_t messages) const
    {
        return *std::ranges::find_if(
            samples_, [&](const sample& s) { return s.came[i] + messages > last().came[i]; });
    }

    /// Seconds for each of the latest messages of partner i, so many, until the last one came: less
    /// than it took, by the first, so that few messages are not taken for slow ones.
    double pace_of(std::size_t i, std::uint32_t messages, time_point until) const
    {
        const std::chrono::duration<double> taken(until - since(i, messages).when);
        return std::max(taken.count(), 0.0) / messages;
    }

private:
    static constexpr std::size_t most = 256;

    /// Leaves out every other one, but the first.
    void thin_out()
    {
        std::size_t kept = 1;
        for (std::size_t i = 2; i < samples_.size(); i += 2)
            samples_[kept++] = std::move(samples_[i]);
        samples_.resize(kept);
    }

    std::vector<sample> samples_;
    std::ptrdiff_t begun_ = 0;  // how many partners have
    time_point resumed_{};
};

}  // namespace papilio::detail
