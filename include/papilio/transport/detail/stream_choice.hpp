#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

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

/// Chooses the number of streams that each call uses. A call keeps its number to the end, so that
/// messages under one tag stay in order; its rate decides about the number of the next one.
class stream_choice {
public:
    explicit stream_choice(std::size_t max_streams) noexcept : count_(max_streams) {}

    /// How many streams the call that `t` belongs to uses.
    std::size_t streams(tag t, time_point now)
    {
        if (transfer* const known = find(call_of(t))) return known->streams;
        if (!recent_.empty()) learn(recent_.back());
        if (recent_.size() == remembered)
            recent_.erase(std::ranges::min_element(recent_, {}, &transfer::last));
        recent_.push_back({call_of(t), count_.now(), 0, now, now});
        return count_.now();
    }

    /// A message of `size` bytes has been sent.
    void sent(tag t, std::size_t size, time_point now)
    {
        if (transfer* const of = find(call_of(t))) {
            of->bytes += size;
            of->last = now;
        }
    }

private:
    static constexpr std::size_t remembered = 64;

    /// A call that sends less shows nothing of what its link can carry.
    static constexpr std::size_t min_bytes = std::size_t{1} << 20;

    /// What one call has sent.
    struct transfer {
        std::uint64_t call;
        std::size_t streams;
        std::size_t bytes;
        time_point begun;
        time_point last;
    };

    transfer* find(std::uint64_t call)
    {
        const auto found = std::find_if(recent_.rbegin(), recent_.rend(),
                                        [&](const transfer& x) { return x.call == call; });
        return found == recent_.rend() ? nullptr : &*found;
    }

    void learn(const transfer& x)
    {
        const std::chrono::duration<double> took = x.last - x.begun;
        if (x.bytes >= min_bytes && took.count() > 0 && x.streams == count_.now())
            count_.achieved(static_cast<double>(x.bytes) / took.count());
    }

    stream_count count_;
    std::vector<transfer> recent_;
};

}  // namespace papilio::detail
