#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <utility>
#include <vector>

// For how long members serve observers, and observers wait.
namespace papilio::inline PAPILIO_MODE::detail {

/// The others that have no vote.
inline std::vector<int> observers_beside(const peer_io& io)
{
    std::vector<int> found;
    for (int peer = 0; peer < io.size(); ++peer)
        if (!votes(io.of(peer)) && peer != io.me()) found.push_back(peer);
    return found;
}

/// As long as a call has taken that ends now, or a moment.
inline duration grace_at(time_point end, const call_status& status)
{
    return std::max<duration>(end - status.begin, status.decision_margin());
}

/// Waits for `since`, and then as long as the call has taken, `times` over.
inline task<> grace_after(gate& since, const call_status& status, int times)
{
    co_await since.opened();
    const auto begin = co_await now();
    co_await sleep_until(begin + times * grace_at(begin, status));
}

/// A member's part: `aside` serves the observers, and is dropped some time after `done`.
inline task<> serve_observers(task<> aside, gate& done, const call_status& status)
{
    co_await when_any(std::move(aside), grace_after(done, status, 1));
}

/// An observer's: once all have agreed, it gets the rest of the data soon, or never.
inline task<> end_unserved(gate& all_agreed, const peer_io& io, const call_status& status)
{
    task<> waited = grace_after(all_agreed, status, 2);
    co_await std::move(waited);
    throw call_error(errc::timed_out, io.me(), io.me(), status.where,
                     "the others have ended the call without this observer");
}

}  // namespace papilio::detail
