#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/inproc.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace papilio::inline PAPILIO_MODE::inproc {

PAPILIO_DECL group::group(std::vector<loop*> loops) : loops_(std::move(loops))
{
    for (std::size_t rank = 0; rank < loops_.size(); ++rank)
        peers_.emplace_back(new transport(*this, static_cast<int>(rank), *loops_[rank]));
    if (threaded())
        for (auto* on : loops_) on->work_started();
}

PAPILIO_DECL group::~group()
{
    if (threaded())
        for (auto* on : loops_) on->work_finished();
}

/// Several loops wait for each other's messages; a single loop can report a deadlock.
PAPILIO_DECL bool group::threaded() const
{
    return std::ranges::adjacent_find(loops_, std::ranges::not_equal_to{}) != loops_.end();
}

PAPILIO_DECL task<> transport::send(int peer, tag t, bytes content)
{
    post(peer, t, content);
    co_return;
}

PAPILIO_DECL bool transport::post(int peer, tag t, bytes content)
{
    group_.peer(peer).enqueue({rank_, t, {content.begin(), content.end()}});
    return true;
}

PAPILIO_DECL task<std::size_t> transport::recv(int peer, tag t, mutable_bytes into)
{
    co_return co_await inbox_.take(peer, t, into);
}

PAPILIO_DECL void transport::close()
{
    for (int peer = 0; peer < size(); ++peer)
        if (peer != rank_) group_.peer(peer).enqueue({rank_, tag{}, {}, true});
}

PAPILIO_DECL void transport::enqueue(message m)
{
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(m));
    if (!std::exchange(posted_, true)) loop_.post_from_any_thread(arrival_);
}

PAPILIO_DECL void transport::deliver_queued()
{
    std::vector<message> arrived;
    {
        const std::lock_guard lock(mutex_);
        arrived.swap(queue_);
        posted_ = false;
    }
    for (const auto& m : arrived) {
        if (m.last)
            inbox_.close(m.from, errc::disconnected);
        else
            papilio::detail::deliver_or_close(inbox_, rank_, m.from, m.what, m.content);
    }
}

}  // namespace papilio::inproc
