#pragma once

#include <papilio/base/check.hpp>

#include <chrono>
#include <future>
#include <system_error>

namespace papilio::example {

/// Writes on a thread of its own what its owner has taken a snapshot of, while the owner goes on;
/// one thing at a time, so that one snapshot is enough. All calls come from one thread.
///
/// A write that fails has no effect here: its exception waits for `finish`, which throws it to the
/// owner once, and the next write may begin. Where no thread can be had `finish` writes itself. The
/// destructor waits for a write that has begun, which then is as complete as any, but tells nobody
/// of its failure.
class background_writer {
public:
    /// Begins `write()`, which must not use what the owner changes before `finish`. None may be
    /// under way.
    template <class Write>
    void start(Write write)
    {
        PAPILIO_CHECK(!under_way(), "what is written is finished before the next");
        try {
            write_ = std::async(std::launch::async, write);
        } catch (const std::system_error&) {
            write_ = std::async(std::launch::deferred, write);
        }
    }

    /// Whether a write was started, and not finished yet.
    bool under_way() const { return write_.valid(); }

    /// Whether `finish` would not wait.
    bool ended() const
    {
        return !under_way() ||
               write_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }

    /// Waits for the end of the write under way, if there is one, and throws what it has thrown.
    void finish()
    {
        if (under_way()) write_.get();
    }

private:
    std::future<void> write_;  // of std::async: its destructor waits
};

}  // namespace papilio::example
