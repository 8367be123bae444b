#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/inproc.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <utility>

namespace papilio::inline PAPILIO_MODE::inproc {

PAPILIO_DECL group::group(std::vector<loop*> loops, std::size_t early_limit)
    : loops_(std::move(loops))
{
    if (early_limit < wire::first_window)
        throw papilio::detail::bad_value("early_limit", "at least 65536", early_limit);
    const int size = static_cast<int>(loops_.size());
    for (int rank = 0; rank < size; ++rank)
        peers_.emplace_back(
            new transport(*this, rank, *loops_[static_cast<std::size_t>(rank)], size, early_limit));
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
    const auto differ = [](const loop* a, const loop* b) { return a != b; };
    return std::ranges::adjacent_find(loops_, differ) != loops_.end();
}

PAPILIO_DECL task<> transport::send(int peer, tag t, bytes content)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    co_await flow_.send(peer, t, content);
}

PAPILIO_DECL bool transport::post(int peer, tag t, bytes content)
{
    PAPILIO_CHECK(t < wire::first_reserved_tag, "the four highest tags are the transport's own");
    flow_.post(peer, t, content);
    return true;
}

/// Messages of a peer arrive in the order in which it sends them.
PAPILIO_DECL void transport::launch(int peer, tag what, bytes content, tag)
{
    group_.peer(peer).enqueue({rank_, what, {content.begin(), content.end()}});
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
            flow_.close(m.from, errc::disconnected);
        else
            flow_.arrived(m.from, m.what, m.content);
    }
}

}  // namespace papilio::inproc
