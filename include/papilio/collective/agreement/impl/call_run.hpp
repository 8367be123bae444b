#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/agreement/deadline_watch.hpp>
#include <papilio/collective/agreement/observers.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL task<report> call_run::run(task<> data, task<> aside)
{
    std::optional<call_failure> failure;
    try {
        std::vector<task<>> work;
        work.push_back(run_all(std::move(data), std::move(aside)));
        if (!salvage_) {
            work.push_back(
                watch_deadline(io_, ballot_, status_, plan_.stages, time_for_blame(), done_));
        } else {
            work.push_back(watch_first_view(io_, status_, plan_.stages, done_));
            work.push_back(salvage_->hear_of_views());
            work.push_back(salvage_->watch_progress());
        }
        if (observer_) work.push_back(observer_->hear_of_views());
        co_await when_any(std::move(work));
    } catch (...) {
        failure.emplace(std::current_exception(), io_.me(), status_.where);
    }
    const bool left = failure || !done_.is_open();
    const bool known = ballot_.results().differ();  // whom it may go on without is not
    if (left && !known && salvage_ && salvage_->can_go_on(failure)) {
        task<> end = go_on(failure);
        co_await std::move(end);
    } else if (left && !known && observer_ && others_can_go_on(failure, io_.me())) {
        task<> end = observer_->follow(failure, ballot_.results());
        co_await std::move(end);
    } else if (failure) {
        failure->write_to_log(weights_.call().call);
        task<> told = give_up(*failure);
        co_await std::move(told);
        ended_ = true;
        failure->rethrow(votes_.outcome_unknown());
    }
    co_return finished();
}

/// In later views, and then for as long as observers may take.
PAPILIO_DECL task<> call_run::go_on(const std::optional<call_failure>& failure)
{
    status_.unserved = observers_beside(io_);
    try {
        task<> end = salvage_->go_on(failure);
        co_await std::move(end);
    } catch (const call_error& why) {
        const auto said = no(why.culprit(), why.code());
        for (const int observer : status_.unserved) votes_.refuse(observer, said);
        throw;
    }
    if (!reduces(io_.mine())) status_.unserved.clear();
    if (status_.unserved.empty()) co_return;
    const auto end = co_await now();
    const auto until =
        std::min(later(end, grace_at(end, status_)), later(status_.begin, status_.limit));
    co_await when_any(salvage_->serve_observers(status_.unserved), wait_until(until));
}

PAPILIO_DECL task<> call_run::give_up(const call_failure& failure)
{
    io_.discard_call();
    if (!votes(io_.mine())) co_return;
    const auto said = no(failure.error().culprit(), failure.error().code());
    try {
        task<> told = votes_.send_no(said);
        co_await timeout(std::move(told), later(status_.begin, status_.limit));
    } catch (const std::system_error&) {
        // A peer that has not been told by now finds out by its own deadline.
    }
}

PAPILIO_DECL report call_run::finished()
{
    auto& result = status_.result;
    std::vector<contributor> from;
    for (int peer = 0; peer < io_.size(); ++peer)
        if (const double weight = weights_.of(peer); weight > 0) from.push_back({peer, weight});
    result.made_of = {{{0, static_cast<std::size_t>(weights_.call().count)}, std::move(from)}};
    const bool followed = observer_ && observer_->followed();
    if (salvage_) salvage_->finish(result);
    if (followed) observer_->tell(result);
    result.unserved_observers = status_.unserved;
    for (const int late : status_.unserved) votes_.refuse(late, ballot_.no(late, errc::timed_out));
    io_.report_link();
    complete_ = status_.unserved.empty() && !(salvage_ && salvage_->went_on()) && !followed;
    ended_ = true;
    log(log_level::debug, "call succeeded", {"call", "rank", "bytes_sent", "took"}, result.call,
        io_.me(), result.bytes_sent(), result.finished);
    return std::move(result);
}

}  // namespace papilio::detail
