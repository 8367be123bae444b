#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::detail {

/// How many streams carry most: begins with one, doubles while that gains more than a tenth, and
/// tries again after a while, since links change.
class stream_count {
public:
    explicit stream_count(std::size_t most) noexcept : most_(most) {}

    std::size_t now() const noexcept { return now_; }

    /// What `now()` streams carried, in bytes per second.
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
        if (now_ == most_) return;
        tried_from_ = now_;
        now_ = std::min(2 * now_, most_);
    }

private:
    std::size_t most_;
    std::size_t now_ = 1;
    std::size_t tried_from_ = 0;  // how many there were before the trial that is on, if one is
    double rate_ = 0;             // of what was best
    int pause_ = 0;               // measurements until the next trial
};

/// Which of a link's streams a message takes. A call keeps the number of streams that it began
/// with, so that messages under one tag stay in order; what it carried tells how many the next one
/// gets.
class stream_choice {
public:
    explicit stream_choice(std::size_t most) noexcept : count_(most) {}

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
    static constexpr std::size_t worth = std::size_t{1} << 20;  // less says nothing about a link

    struct transfer {
        std::uint32_t call;
        std::size_t streams;
        std::size_t bytes;
        time_point begun;
        time_point last;
    };

    transfer* find(std::uint32_t call)
    {
        const auto found = std::find_if(recent_.rbegin(), recent_.rend(),
                                        [&](const transfer& x) { return x.call == call; });
        return found == recent_.rend() ? nullptr : &*found;
    }

    void learn(const transfer& x)
    {
        const std::chrono::duration<double> took = x.last - x.begun;
        if (x.bytes >= worth && took.count() > 0 && x.streams == count_.now())
            count_.achieved(static_cast<double>(x.bytes) / took.count());
    }

    stream_count count_;
    std::vector<transfer> recent_;
};

}  // namespace papilio::detail
