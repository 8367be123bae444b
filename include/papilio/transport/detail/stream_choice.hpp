#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace papilio::inline PAPILIO_MODE::detail {

/// Finds the number of streams that is fastest: starts with one, doubles while that gains a tenth
/// or more, and tries again after a while, since links change.
class stream_count {
public:
    explicit stream_count(std::size_t max_streams) noexcept : max_(max_streams) {}

    std::size_t now() const noexcept { return now_; }

    /// Reports what `now()` streams achieved, in bytes per second.
    void achieved(double rate) noexcept
    {
        if (tried_from_ > 0 && rate < 1.1 * rate_) {
            now_ = tried_from_;
            tried_from_ = 0;
            pause_ = 16;
            return;
        }
        const bool first = rate_ == 0 || tried_from_ > 0;
        rate_ = first ? rate : 0.75 * rate_ + 0.25 * rate;
        tried_from_ = 0;
        if (pause_ > 0) --pause_;
        if (pause_ > 0) return;
        if (now_ == max_) return;
        tried_from_ = now_;
        now_ = std::min(2 * now_, max_);
    }

private:
    std::size_t max_;
    std::size_t now_ = 1;
    std::size_t tried_from_ = 0;  // during a trial, the number before it; else zero
    double rate_ = 0;             // bytes per second of the number that is best so far
    int pause_ = 0;               // measurements until the next trial
};

/// Chooses the number of streams that each call uses. A call keeps its number until it has sent
/// nothing for a minute and nothing of it waits, so that messages under one tag stay in order; its
/// rate decides about the number of the next one.
class stream_choice {
public:
    explicit stream_choice(std::size_t max_streams) noexcept : count_(max_streams) {}

    /// How many streams the call that `t` belongs to uses. `waits(call)` tells whether a message of
    /// that call waits to be sent.
    template <class Waits>
    std::size_t streams(tag t, time_point now, Waits waits)
    {
        const auto known = recent_.find(call_of(t));
        if (known != recent_.end()) {
            known->second.last = now;
            return known->second.streams;
        }
        if (const auto newest = recent_.find(newest_); newest != recent_.end())
            learn(newest->second);
        if (recent_.size() >= full_) forget_idle(now, waits);
        newest_ = call_of(t);
        recent_.emplace(newest_, transfer{count_.now(), 0, now, now, now});
        return count_.now();
    }

    /// A message of `size` bytes has been sent.
    void sent(tag t, std::size_t size, time_point now)
    {
        const auto of = recent_.find(call_of(t));
        if (of == recent_.end()) return;
        of->second.bytes += size;
        of->second.last = of->second.last_sent = now;
    }

private:
    static constexpr std::size_t few = 64;

    /// A call that sends less shows nothing of what its link can carry.
    static constexpr std::size_t min_bytes = std::size_t{1} << 20;

    /// What one call has sent.
    struct transfer {
        std::size_t streams;
        std::size_t bytes;
        time_point begun;
        time_point last;  // asked for
        time_point last_sent;
    };

    void learn(const transfer& x)
    {
        const std::chrono::duration<double> took = x.last_sent - x.begun;
        if (x.bytes >= min_bytes && took.count() > 0 && x.streams == count_.now())
            count_.achieved(static_cast<double>(x.bytes) / took.count());
    }

    /// Whatever was sent a minute ago has arrived, or its link has failed.
    template <class Waits>
    void forget_idle(time_point now, Waits waits)
    {
        std::erase_if(recent_, [&](const auto& x) {
            return now - x.second.last > std::chrono::minutes(1) && !waits(x.first);
        });
        full_ = std::max(few, 2 * recent_.size());
    }

    stream_count count_;
    std::map<std::uint64_t, transfer> recent_;  // by call
    std::uint64_t newest_ = 0;
    std::size_t full_ = few;  // when to look for calls that are idle
};

}  // namespace papilio::detail
