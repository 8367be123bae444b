#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/ballot.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Which debts are checked when time runs out, the first cause first: a contribution of the first
/// stage depends on its sender alone, and each later message on those before it.
///
/// | owed | checked | blamed |
/// | contributions of stage k | in the order of stages | the partner that owes the most |
/// | results of stage k | after them, the last stage first | the same |
/// | votes of stage k | last | the same; a client, whom votes reach last, after all others |
inline std::vector<std::pair<message_kind, int>> blame_order(int stages)
{
    std::vector<std::pair<message_kind, int>> order;
    for (int k = 0; k < stages; ++k) order.emplace_back(message_kind::contribution, k);
    for (int k = stages; k-- > 0;) order.emplace_back(message_kind::result, k);
    for (int k = 0; k < stages; ++k) order.emplace_back(message_kind::vote, k);
    return order;
}

/// When a call looks for somebody to blame.
struct blame_times {
    duration left{};   ///< the call's time that is left then
    duration taken{};  ///< within this all kinds of debts are checked
};

/// Ends a call when its time is nearly up, by a `call_error` that names a culprit; the time left
/// serves to tell the others. Checks one kind of debt after the other, so that a peer that knows
/// the culprit at first hand speaks before those that wait for it. Returns when `done` is open.
inline task<> watch_deadline(peer_io& io, const ballot& votes, const call_status& status,
                             const butterfly& plan, blame_times when, const gate& done)
{
    const auto order = blame_order(plan.stages());
    const auto end = later(status.begin, status.limit);
    const auto step = when.taken / static_cast<std::int64_t>(order.size());
    auto left = when.left;
    for (const auto& [kind, stage] : order) {
        const bool last = kind == message_kind::vote && votes.relayed();
        co_await sleep_until(end - (last && io.mine() == role::client ? left / 2 : left));
        if (done.is_open()) co_return;  // this peer's own work is done: nobody is left to blame
        left -= step;
        const auto time = co_await now();
        const int culprit = io.culprit(kind, stage, time);
        if (culprit >= 0) throw call_error(errc::timed_out, culprit, io.me(), status.where);
    }
    co_await sleep_until(end);
    if (done.is_open()) co_return;
    throw call_error(errc::timed_out, -1, io.me(), status.where);
}

/// Whether a partner owes this peer anything, and has sent it nothing since.
inline bool misses_anything(peer_io& io, const butterfly& plan, time_point since)
{
    const auto order = blame_order(plan.stages());
    return std::ranges::any_of(
        order, [&](const auto& debt) { return io.culprit(debt.first, debt.second, since) >= 0; });
}

/// Ends the first view of a call that can go on without somebody, while there is time for that.
/// From half of the call's time on, every sixteenth of it, whoever owes a contribution of the first
/// stage is blamed, since that waits for nobody else; and from the second time on the view is left,
/// without blame, if anything at all is owed: whoever promises the next one is there. Only what has
/// not moved for an eighth of the time counts.
inline task<> watch_first_view(peer_io& io, const call_status& status, const butterfly& plan,
                               const gate& done)
{
    const auto end = later(status.begin, status.limit);
    const auto step = status.limit / 32;
    for (int at = 17; at < 30; at += 2) {
        co_await sleep_until(later(status.begin, at * step));
        if (done.is_open()) break;
        const auto time = co_await now();
        const auto since = time - 4 * step;
        const int culprit = io.culprit(message_kind::contribution, 0, since);
        if (culprit >= 0) throw call_error(errc::timed_out, culprit, io.me(), status.where);
        if (at > 17 && misses_anything(io, plan, since)) co_return;
    }
    co_await sleep_until(end);
    if (!done.is_open()) throw call_error(errc::timed_out, -1, io.me(), status.where);
}

}  // namespace papilio::detail
