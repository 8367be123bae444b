#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/ballot.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/call_observer.hpp>
#include <papilio/collective/agreement/call_salvage.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/deadline_watch.hpp>
#include <papilio/collective/agreement/observers.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/agreement/vote_exchange.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline task<> no_work()
{
    co_return;
}

/// One call: moves the data, votes, and ends in time. Composes the parts of the agreement; the
/// engine moves the data.
///
/// A peer votes yes when it holds the complete result, and the call succeeds when every vote is a
/// yes. A peer that meets a failure before it has voted votes no, and names the culprit; a single
/// no fails the call for everybody. A peer that has voted yes and then misses a vote cannot know
/// the others' outcome: it reports `errc::outcome_unknown`.
///
/// With `salvage` the call goes on in later views without those that are lost.
class call_run {
public:
    call_run(any_transport net, const wire::descriptor& call, const call_plan& plan,
             time_point begin, duration limit)
        : plan_(plan),
          status_{.begin = begin, .limit = limit},
          weights_(call, plan, net.rank()),
          ballot_(weights_, plan.roles, plan.stages, net.rank()),
          io_(std::move(net), call, plan.roles, plan.stages, status_),
          votes_(io_, ballot_, plan.stages)
    {
        auto& result = status_.result;
        result.call = call.call;
        result.codec = codec_id{call.codec};
        result.back = codec_id{call.back};
        result.peers.resize(plan.roles.size());
        for (int k = 0; k < plan.stages.stages(); ++k) result.radix.push_back(plan.stages.radix(k));
        status_.unserved = observers_beside(io_);
    }
    call_run(const call_run&) = delete;
    call_run& operator=(const call_run&) = delete;

    /// Messages that arrive after the call was dropped, or ended with unserved observers, are
    /// discarded. The others hear that it was dropped, if the transport sends in the background.
    ~call_run()
    {
        const bool went_on = salvage_ && salvage_->went_on();
        try {
            if (went_on) salvage_->drop();
            if (!complete_) io_.discard_call();
            if (ended_ || went_on || !votes(io_.mine())) return;
            votes_.post_no(no(io_.me(), errc::peer_failed));
        } catch (...) {
            // Without memory, or with a transport that throws, the others wait for their deadline.
        }
    }

    peer_io& io() noexcept { return io_; }
    contribution_weights& weights() noexcept { return weights_; }
    call_status& status() noexcept { return status_; }
    result_digests& results() noexcept { return ballot_.results(); }

    /// The call goes on when it loses peers, if it can do without any.
    void salvage(detail::salvage how)
    {
        if (!can_lose_any(plan_, how)) return;
        if (votes(io_.mine()))
            salvage_.emplace(io_, votes_, weights_, plan_, status_, std::move(how));
        else
            observer_.emplace(io_, weights_, plan_, status_, how);
    }

    /// Which chunks view 0 has brought; null if nobody needs to know.
    chunk_versions* held() noexcept
    {
        if (observer_) return &observer_->held();
        return salvage_ ? &salvage_->held() : nullptr;
    }

    /// Moves the data by running `data`, and votes. Throws a `call_error` unless all agree.
    /// `aside` serves the observers; it cannot fail the call, and gets as long again as the call
    /// took without it, or a moment if that is more.
    task<report> run(task<> data, task<> aside);

    /// The same without observers.
    task<report> run(task<> data) { return run(std::move(data), no_work()); }

private:
    task<> run_all(task<> data, task<> aside)
    {
        std::vector<task<>> work;
        work.push_back(run_members(std::move(data)));
        if (!status_.unserved.empty())
            work.push_back(serve_observers(std::move(aside), done_, status_));
        co_await when_all(std::move(work));
    }

    task<> run_members(task<> data)
    {
        std::vector<task<>> work;
        for (int k = 0; k < plan_.stages.stages(); ++k) work.push_back(votes_.receive(k));
        work.push_back(votes(io_.mine()) ? move_and_vote(std::move(data))
                                         : observe(std::move(data)));
        co_await when_all(std::move(work));
        ballot_.results().compare(io_.me());
        const auto end = co_await now();
        status_.result.finished = end - status_.begin;
        done_.open();
    }

    task<> move_and_vote(task<> data)
    {
        weights_.check_own();
        co_await data;
        const auto moved = co_await now();
        data_moved(moved);
        io_.commit();
        co_await votes_.send_yes();
    }

    void data_moved(time_point when)
    {
        status_.result.gathered = when - status_.begin;
        status_.where = phase::vote;
    }

    /// An observer's part. Once all have agreed, it gets the rest of the data soon, or never.
    task<> observe(task<> data)
    {
        co_await when_any(std::move(data), end_unserved(votes_.all_agreed(), io_, status_));
        const auto moved = co_await now();
        data_moved(moved);
    }

    /// The last moments of a call.
    blame_times time_for_blame() const
    {
        const auto left = std::min<duration>(status_.decision_margin() * plan_.stages.stages(),
                                             status_.limit / 2);
        return {.left = left, .taken = left};
    }

    task<> go_on(const std::optional<call_failure>& failure);

    static task<> wait_until(time_point when) { co_await sleep_until(when); }

    /// Tells the others of a failure, as long as there is time.
    task<> give_up(const call_failure& failure);

    std::vector<std::byte> no(int culprit, std::error_code why) const
    {
        return ballot_.no(culprit,
                          votes_.outcome_unknown() ? make_error_code(errc::outcome_unknown) : why);
    }

    report finished();

    const call_plan& plan_;
    call_status status_;
    contribution_weights weights_;
    detail::ballot ballot_;
    peer_io io_;
    vote_exchange votes_;
    std::optional<call_salvage> salvage_;
    std::optional<call_observer> observer_;  // in place of it
    gate done_;                              // all votes are in, and this peer's own work is done
    bool complete_ = false;                  // no more messages are to come
    bool ended_ = false;                     // and the others know, as far as they can be told
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/agreement/impl/call_run.hpp>
#endif
