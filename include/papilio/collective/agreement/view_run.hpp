#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/log.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/progress_watch.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/agreement/voter.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/view_vote.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A call that has left view 0, until it ends: sends what its `voter` says, tells it what comes,
/// and has the data of its views moved. docs/design/views.md.
class view_run final : chunk_keeper, overdue_listener {
public:
    /// `mover` moves the data, or is null if there is none; `call` and it are borrowed.
    view_run(peer_io& io, call_status& status, const call_shape& call, std::uint64_t digest,
             double weight, view_times times, view_mover* mover)
        : io_(io),
          status_(status),
          call_(call),
          digest_(digest),
          mover_(mover),
          voter_(call, io.me(), digest, weight, times),
          streams_(index(io.size()), 0)
    {
        voter_.read_result(mover);
    }
    view_run(const view_run&) = delete;
    view_run& operator=(const view_run&) = delete;

    detail::voter& voter() noexcept { return voter_; }
    const detail::voter& voter() const noexcept { return voter_; }

    /// Until the voter has ended, and all has been sent that it had to say. `beside` may tell it
    /// more meanwhile, and says so by `changed`. Throws only what the library does not expect.
    task<> run(std::vector<task<>> beside);

    /// Something has been told to the voter.
    void changed() noexcept { changed_.open(); }

    void complain(int peer, std::error_code why, time_point now)
    {
        miss(peer, why);
        if (why == errc::timed_out) voter_.miss_alone(peer);
        voter_.complain(peer, now);
        changed_.open();
    }

    /// This peer complains about these when others do.
    void suspect(const rank_set& slow) { slow_ = slow; }

    /// The call has ended for a peer.
    void ended(int peer, const wire::answer& said, time_point now)
    {
        if (said.what == wire::ending::withdrawn) miss(peer, make_error_code(said.why));
        voter_.take(peer, said, now);
        changed_.open();
    }

    /// Votes of view 0 have told of different results.
    void differ_in_first(int odd_one)
    {
        voter_.differ_in_first(odd_one);
        changed_.open();
    }

    /// Why a peer is no member any more, as far as this one knows.
    std::error_code reason(int peer) const
    {
        const auto found = reasons_.find(peer);
        return found != reasons_.end() ? found->second : make_error_code(errc::peer_failed);
    }

    /// Of what the voter had to say, sends what has not been sent. A peer that it does not reach
    /// is lost.
    void send_parcels()
    {
        for (auto all = voter_.take_parcels(); !all.empty(); all = voter_.take_parcels())
            for (const auto& said : all)
                for (const int to : said.to)
                    said.visit([&](const auto& message) { send(to, message); });
    }

private:
    void overwrite(std::size_t part, std::uint32_t column) override
    {
        if (!moves()) throw std::system_error(errc::left_out, "this peer has left the view");
        voter_.overwrite(part, column);
    }

    void hold(std::size_t part, std::uint32_t column, std::uint8_t version) override
    {
        if (!moves()) return;
        voter_.hold(part, column, version);
        changed_.open();
    }

    /// Who has promised the view and sent nothing in it may not have heard of its proposal: it is
    /// blamed if it does not promise the next one, or is overdue again.
    void overdue(int peer) override
    {
        const bool came = io_.debts().last_message(peer) > moving_since_;
        if (!came && voter_.has_promise_of(peer) && spared_.insert(peer)) {
            voter_.leave(on_->now());
            return changed_.open();
        }
        complain(peer, make_error_code(errc::timed_out), on_->now());
    }

    /// The members of the view that this peer meets.
    rank_set partners() const
    {
        rank_set met;
        for (const int peer : voter_.settlement().members)
            if (call_.who.meet(io_.me(), peer)) met.insert(peer);
        return met;
    }

    /// Those of them whose votes have not come yet.
    rank_set who_has_not_voted() const
    {
        rank_set owing;
        for (const int peer : partners())
            if (!voter_.has_vote_of(peer)) owing.insert(peer);
        return owing;
    }

    /// Whether the data that moves is that of the view which the voter is in.
    bool moves() const { return voter_.moves() && voter_.view() == moving_; }

    void send(int to, const wire::view_vote& vote)
    {
        // Of view 0 nobody waits for it any more: whoever has left it says so by its promise.
        if (vote.view == 0) return;
        post(to, wire::encode(vote));
        status_.where = phase::vote;
    }
    void send(int to, const wire::promise& said) { post(to, wire::encode(said)); }
    void send(int to, const wire::proposal& said) { post(to, wire::encode(said)); }
    void send(int to, const wire::answer& said)
    {
        io_.post(to, io_.tag_for(message_kind::answer, 0), wire::encode(said));
    }
    void post(int to, bytes message)
    {
        auto& next = streams_[index(to)];
        if (io_.post(to, io_.tag_for(message_kind::view, next), message)) {
            ++next;
        } else if (on_) {
            miss(to, make_error_code(errc::disconnected));
            voter_.lose(to, on_->now());
        }
    }

    /// The first reason stands.
    void miss(int peer, std::error_code why)
    {
        if (!reasons_.emplace(peer, why).second) return;
        log(log_level::info, "peer missed in call", {"call", "rank", "peer", "why"},
            status_.result.call, io_.me(), peer, why);
    }

    /// Who shows signs of life and has not begun the call: until half of its time has passed it is
    /// waited for, as in view 0. It may still be busy with the call before.
    rank_set late_callers(time_point now) const
    {
        rank_set late;
        if (now >= later(status_.begin, status_.limit / 2)) return late;
        const auto silence = std::max(status_.limit / 8, 2 * io_.heartbeat().value_or(duration{}));
        for (const int peer : call_.who.all())
            if (call_.who.meet(io_.me(), peer) && !voter_.has_promised(peer) &&
                io_.debts().last_message(peer) <= status_.begin &&
                io_.last_heard(peer) > now - silence)
                late.insert(peer);
        return late;
    }

    /// Whoever has not spoken in time is complained about.
    void wake(time_point now)
    {
        voter_.excuse(late_callers(now));
        voter_.wake(now);
        for (const int peer : voter_.complaints()) miss(peer, make_error_code(errc::timed_out));
    }

    task<> drive();
    task<> watch_silence();
    task<> move_views();
    task<> move_view();
    task<> listen(int peer);
    task<> hear_end(int peer);
    void join_complaints(int peer, const rank_set& others, time_point now);
    void take(int peer, bytes message, time_point now);
    void note(const std::exception_ptr& thrown, time_point now);
    void follow_view();

    peer_io& io_;
    call_status& status_;
    const call_shape& call_;
    std::uint64_t digest_;
    view_mover* mover_;
    loop* on_ = nullptr;  // since it runs
    detail::voter voter_;
    std::vector<std::size_t> streams_;        // by rank: how many messages it was sent
    std::map<int, std::error_code> reasons_;  // by rank: why it is not worked with
    std::uint8_t moving_ = 0;                 // the view whose data moves
    time_point moving_since_{};
    rank_set slow_;    // about whom this peer agrees with others
    rank_set spared_;  // who was overdue once, and not blamed
    gate changed_;     // something has been told to the voter
    gate entered_;     // a view has begun: its data is to be moved
    gate left_;        // the view whose data moves has been left
    std::exception_ptr unexpected_;
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/agreement/impl/view_run.hpp>
#endif
