#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/link_history.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a link has carried in one direction while a call lasted: the most for a moment, and for how
/// much of the time it was busy at that rate.
///
/// A call has idle times, in which peers wait for each other's chunks, and a slow peer makes all
/// others slow: bytes over time say little of a link. What it can carry shows while there is enough
/// to move, as when everybody's first chunks go out. A moment is five windows of 10 ms or more, and
/// its rate the median of theirs, or that of all five if it is less: so bytes which come in a
/// bunch, as when a lost packet has been sent again, do not make a link look fast.
class flow_meter {
public:
    explicit flow_meter(time_point begin) : begin_(begin), window_begin_(begin), last_(begin) {}

    /// `size` bytes have moved by `now`.
    void moved(time_point now, std::uint64_t size)
    {
        bytes_ += size;
        within_ += size;
        last_ = now;
        // A message counts as a whole when it has moved, so that a few of them make a window; and a
        // long call must not find its most in the noise of very many short ones.
        const auto least = std::max<duration>(std::chrono::milliseconds(10), (now - begin_) / 64);
        if (++messages_ < 4 || now - window_begin_ < least) return;
        const std::chrono::duration<double> span = now - window_begin_;
        windows_[count_++ % windows_.size()] = {static_cast<double>(within_), span.count()};
        if (count_ >= windows_.size()) most_ = std::max(most_, rate());
        window_begin_ = now;
        within_ = messages_ = 0;
    }

    /// Zeros: what moved was too little to tell.
    flow seen() const
    {
        if (most_ == 0) return {};
        const std::chrono::duration<double> span = last_ - begin_;
        return {most_, std::min(1.0, static_cast<double>(bytes_) / (most_ * span.count()))};
    }

private:
    struct window {
        double bytes = 0;
        double seconds = 0;
    };

    /// Of the last windows: the median, and no more than all together.
    double rate() const
    {
        std::array<double, 5> rates;
        double bytes = 0, seconds = 0;
        for (std::size_t i = 0; i < windows_.size(); ++i) {
            rates[i] = windows_[i].bytes / windows_[i].seconds;
            bytes += windows_[i].bytes;
            seconds += windows_[i].seconds;
        }
        std::ranges::sort(rates);
        return std::min(rates[rates.size() / 2], bytes / seconds);
    }

    time_point begin_, window_begin_, last_;
    std::uint64_t bytes_ = 0, within_ = 0, messages_ = 0;
    std::array<window, 5> windows_{};  // the last ones
    std::size_t count_ = 0;            // of all there were
    double most_ = 0;
};

}  // namespace papilio::detail
