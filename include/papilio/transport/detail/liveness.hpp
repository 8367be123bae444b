#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/peer_link.hpp>
#include <papilio/transport/mesh_options.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Sends heartbeats on the links of a mesh, and fails those on which nothing has arrived, or
/// nothing was acknowledged, for too long. A peer is not blamed for a time in which this loop
/// itself stood still. Borrows all of its arguments.
class liveness {
public:
    liveness(loop& on, const std::vector<std::shared_ptr<peer_link>>& links, const mesh_options& o)
        : loop_(on), links_(links), options_(o), watching_since_(on.now())
    {
        watch_.start(loop_);
    }
    liveness(const liveness&) = delete;
    liveness& operator=(const liveness&) = delete;

    /// No heartbeats from now on, and no link fails here.
    void stop() noexcept { stopped_ = true; }

private:
    task<> watch()
    {
        for (;;) {
            const auto due = later(loop_.now(), options_.heartbeat);
            co_await sleep_until(due);
            if (loop_.now() > later(due, options_.heartbeat)) watching_since_ = loop_.now();
            for (const auto& l : links_)
                if (!stopped_ && l->connected()) check(*l);
        }
    }

    void check(peer_link& l)
    {
        l.send_heartbeats();
        const auto now = loop_.now();
        const auto since = std::max(l.last_heard(), watching_since_);
        const bool idle =
            options_.idle_timeout > duration{} && now > later(since, options_.idle_timeout);
        const bool watched = now > later(watching_since_, options_.unacked_timeout);
        if (idle || (watched && l.unacknowledged_beyond(options_.unacked_timeout)))
            l.fail(errc::silent);
    }

    loop& loop_;
    const std::vector<std::shared_ptr<peer_link>>& links_;
    const mesh_options& options_;
    time_point watching_since_;
    bool stopped_ = false;
    task<> watch_ = watch();
};

}  // namespace papilio::detail
