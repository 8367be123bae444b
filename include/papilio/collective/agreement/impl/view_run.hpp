#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/progress_watch.hpp>
#include <papilio/collective/agreement/view_run.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/view_message.hpp>
#include <papilio/wire/view_vote.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline task<> opened(gate& g)
{
    co_await g.opened();
}

inline task<> wait_until(time_point when)
{
    co_await sleep_until(when);
}

inline task<> all_of(std::vector<task<>> work)
{
    co_await when_all(std::move(work));
}

PAPILIO_DECL task<> view_run::run(std::vector<task<>> beside)
{
    loop& on = co_await this_loop{};
    on_ = &on;
    for (const int peer : call_.who.all()) {
        if (!call_.who.meet(io_.me(), peer)) continue;
        beside.push_back(listen(peer));
        beside.push_back(hear_end(peer));
    }
    beside.push_back(move_views());
    beside.push_back(watch_silence());
    co_await when_any(drive(), all_of(std::move(beside)));
    if (unexpected_) std::rethrow_exception(unexpected_);
}

/// Says what the voter has to say, and wakes it in time.
PAPILIO_DECL task<> view_run::drive()
{
    for (;;) {
        changed_.close();
        send_parcels();
        if (voter_.ended()) co_return;
        follow_view();
        const auto due = voter_.next_wake();
        co_await when_any(opened(changed_), wait_until(due));
        if (on_->now() >= due) wake(on_->now());
    }
}

/// While promises are awaited, whoever is found silent at two looks in a row is complained about:
/// each peer of itself, so that one which has stopped is soon given up. Later than that follows
/// what is due of peers that live.
PAPILIO_DECL task<> view_run::watch_silence()
{
    constexpr auto breath = std::chrono::milliseconds(50);
    const auto heartbeat = io_.heartbeat();
    if (!heartbeat) co_return;
    rank_set suspects;
    for (;;) {
        co_await sleep_for(breath);
        rank_set silent;
        for (const int peer : call_.who.all())
            if (call_.who.meet(io_.me(), peer) && voter_.promised() > voter_.view() &&
                later(io_.last_heard(peer), 2 * *heartbeat) <= on_->now())
                silent.insert(peer);
        for (const int peer : silent& suspects)
            if (!voter_.complaints().contains(peer))
                complain(peer, make_error_code(errc::timed_out), on_->now());
        suspects = silent;
    }
}

/// The data of a view moves until the view is left.
PAPILIO_DECL void view_run::follow_view()
{
    if (moves()) return;
    left_.open();
    if (voter_.moves()) entered_.open();
}

PAPILIO_DECL task<> view_run::move_views()
{
    for (;;) {
        co_await entered_.opened();
        entered_.close();
        left_.close();
        moving_ = voter_.view();
        moving_since_ = on_->now();
        if (moves()) {
            co_await when_any(move_view(), watch_progress(io_, *this, partners()), opened(left_));
        }
    }
}

/// Ends when the view is left.
PAPILIO_DECL task<> view_run::move_view()
{
    std::exception_ptr thrown;
    try {
        const bool voted = voter_.voted() == voter_.view();
        status_.where = voted ? phase::vote : phase::contribution;
        io_.begin_view(who_has_not_voted());
        if (mover_) {
            task<> moved = mover_->move(call_, voter_.settlement(), *this);
            co_await std::move(moved);
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown && moves()) note(thrown, on_->now());
    co_await left_.opened();
}

/// Whoever is to blame for what was thrown is complained about, or this peer cannot go on.
PAPILIO_DECL void view_run::note(const std::exception_ptr& thrown, time_point now)
{
    const call_failure failure(thrown, io_.me(), status_.where);
    const auto& error = failure.error();
    if (error.culprit() >= 0 && error.culprit() != io_.me())
        complain(error.culprit(), error.code(), now);
    if (!moves()) return;  // the complaint has ended the view
    if (!failure.expected()) unexpected_ = thrown;
    voter_.withdraw(error.code(), error.culprit());
    changed_.open();
}

/// Takes what a peer says of views, until its link ends.
PAPILIO_DECL task<> view_run::listen(int peer)
{
    std::vector<std::byte> into(wire::largest_view_message(call_.extent));
    std::error_code why;
    try {
        for (std::size_t i = 0; i <= max_call_index; ++i) {
            const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::view, i), into);
            take(peer, bytes(into).first(size), on_->now());
        }
        why = errc::bad_message;  // no honest peer has so much to say
    } catch (const std::system_error& fault) {
        why = fault.code();
    }
    miss(peer, why);
    if (why == errc::bad_message || why == errc::too_large)
        voter_.complain(peer, on_->now());
    else
        voter_.lose(peer, on_->now());
    changed_.open();
}

/// Whoever misses the same peer says so at once: it would have a moment later, and whoever came
/// first would be alone. Contributions wait for nobody but their sender. Late callers are no loss.
PAPILIO_DECL void view_run::join_complaints(int peer, const rank_set& others, time_point now)
{
    const auto while_missed = status_.limit / 32;
    for (const int missed : others - voter_.complaints() - late_callers(now)) {
        if (missed == peer || !call_.who.meet(io_.me(), missed)) continue;
        if (slow_.contains(missed)) {
            complain(missed, make_error_code(errc::timed_out), now);
            continue;
        }
        if (voter_.view() == 0 && io_.plan().meeting(io_.me(), missed) != 0) continue;
        const auto since = io_.debts().owed_since(missed, message_kind::contribution);
        if (since == time_point::max() || later(since, while_missed) > now) continue;
        if (voter_.promised() == voter_.view()) {
            complain(missed, make_error_code(errc::timed_out), now);
        } else {
            miss(missed, make_error_code(errc::timed_out));
            voter_.miss_promise(missed, now);
        }
    }
}

PAPILIO_DECL void view_run::take(int peer, bytes message, time_point now)
{
    switch (wire::view_message_of(message)) {
    case wire::view_message::promise: {
        const auto said = wire::parse_promise(message, call_.extent);
        voter_.excuse(late_callers(now));
        join_complaints(peer, said.complaints, now);
        voter_.take(peer, said, now);
        break;
    }
    case wire::view_message::proposal:
        voter_.take(peer, wire::parse_proposal(message, call_.extent), now);
        break;
    case wire::view_message::vote: {
        const auto vote = wire::parse_view_vote(message);
        if (moves() && vote.view == moving_) io_.voted(peer, now);
        voter_.take(peer, vote, now);
        break;
    }
    }
    changed_.open();
}

/// Takes the answer of a peer whose call has ended.
PAPILIO_DECL task<> view_run::hear_end(int peer)
{
    std::vector<std::byte> into(wire::largest_answer(call_.extent));
    try {
        const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::answer, 0), into);
        const auto said = wire::parse_answer(bytes(into).first(size), call_.extent);
        ended(peer, said, on_->now());
    } catch (const std::system_error& fault) {
        // That its link has ended is noticed where the others of its messages are awaited.
        if (fault.code() == errc::bad_message) complain(peer, fault.code(), on_->now());
    }
}

}  // namespace papilio::detail
