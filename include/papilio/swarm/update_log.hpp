#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// What led a run from one state to the next, such as the encoded mean of a round's updates: bytes
/// that mean something to the run alone.
using shared_update = std::shared_ptr<const std::vector<std::byte>>;

/// The newest updates of a run, kept for members that have an older state. Whoever has missed a few
/// rounds applies what it missed instead of fetching the whole state again.
class update_log {
public:
    /// Keeps as many of the newest as have `max_bytes` together, and at most 64.
    explicit update_log(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// Adds what led to the state after `round` rounds. Forgets all others unless it follows them.
    void add(std::uint32_t round, std::vector<std::byte> update)
    {
        if (round != newest_ + 1) clear();
        newest_ = round;
        bytes_ += update.size();
        updates_.push_back(std::make_shared<const std::vector<std::byte>>(std::move(update)));
        while (!updates_.empty() && (bytes_ > max_bytes_ || updates_.size() > most)) {
            bytes_ -= updates_.front()->size();
            updates_.pop_front();
        }
    }

    /// What leads on from the state after `round` rounds, as many as have `max_bytes` together.
    /// Empty: that is not known, or does not fit.
    std::vector<shared_update> after(std::uint32_t round, std::uint64_t max_bytes) const
    {
        std::vector<shared_update> some;
        if (round >= newest_ || newest_ - round > updates_.size()) return some;
        for (auto i = updates_.size() - (newest_ - round); i < updates_.size(); ++i) {
            if (updates_[i]->size() > max_bytes) break;
            max_bytes -= updates_[i]->size();
            some.push_back(updates_[i]);
        }
        return some;
    }

    std::size_t bytes() const noexcept { return bytes_; }

    static constexpr std::size_t most = 64;

private:
    void clear() noexcept
    {
        updates_.clear();
        bytes_ = 0;
    }

    std::size_t max_bytes_;
    std::deque<shared_update> updates_;  // that led to the states up to `newest_`
    std::size_t bytes_ = 0;
    std::uint32_t newest_ = 0;
};

}  // namespace papilio
