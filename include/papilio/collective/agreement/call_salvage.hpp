#pragma once

#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/deadline_watch.hpp>
#include <papilio/collective/agreement/later_views.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/progress_watch.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/agreement/stragglers.hpp>
#include <papilio/collective/agreement/vote_exchange.hpp>
#include <papilio/collective/agreement/watched_views.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/tag.hpp>

#include <exception>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether those who are left can do without whoever is at fault. What peer `me` finds wrong with
/// itself or with the call is no loss of another.
inline bool others_can_go_on(const std::optional<call_failure>& failure, int me)
{
    if (!failure) return true;
    const auto& error = failure->error();
    if (error.reporter() != me) return true;
    return failure->expected() && error.culprit() >= 0 && error.culprit() != me &&
           error.code() != errc::mismatch && error.code() != errc::no_contribution;
}

/// What a call with `salvage` has beside one without: it knows what view 0 has brought, hears when
/// others leave it, and goes on in later views.
class call_salvage final : overdue_listener, straggler_weights {
public:
    call_salvage(peer_io& io, vote_exchange& votes, contribution_weights& weights,
                 const call_plan& plan, call_status& status, salvage how)
        : io_(io),
          votes_(votes),
          weights_(weights),
          plan_(plan),
          status_(status),
          how_(std::move(how)),
          held_(extent_of(plan)),
          views_(io)
    {
        if (how_.on_straggler == on_straggler::wait) io.debts().wait_for_all();
        if (how_.on_straggler == on_straggler::drop_to_save) slow_.emplace(slow_partners());
    }
    call_salvage(const call_salvage&) = delete;
    call_salvage& operator=(const call_salvage&) = delete;

    /// The chunks of the result that view 0 has brought.
    chunk_versions& held() noexcept { return held_; }

    /// Ends when others have left view 0, or the call.
    task<> hear_of_views() { return views_.hear(); }

    /// Fails when somebody is overdue.
    task<> watch_progress()
    {
        return detail::watch_progress(io_, *this, {}, slow_ ? &*slow_ : nullptr,
                                      contributions_to(io_.me(), plan_, how_));
    }

    bool can_go_on(const std::optional<call_failure>& failure) const
    {
        return others_can_go_on(failure, io_.me());
    }

    /// Ends the call in a later view, after a failure or because others have left view 0. Throws a
    /// `call_error` if it does not end in success.
    task<> go_on(const std::optional<call_failure>& failure);

    /// After the end in a later view: tells the observers, and sends what they lack to those that
    /// ask.
    task<> serve_observers(std::vector<int> observers);

    /// Whether view 0 was left.
    bool went_on() const noexcept { return later_.has_value(); }

    /// The call has succeeded: what it is made of, and the answer for whoever has not heard so.
    void finish(report& to);

    /// It goes away in a later view. The others are told, unless it has ended there.
    void drop()
    {
        if (later_->drop()) io_.leave_answer(wire::encode(later_->answer()));
    }

private:
    task<> serve_observer(int observer);

    /// One complaint alone strikes its author. So who is told of one about a straggler joins in for
    /// half of what it would have asked for by itself.
    rank_set suspects(time_point now)
    {
        slow_->look(now, io_.debts());
        return slow_->suspects(now, io_.debts(), io_.longest_round_trip().value_or(duration{}));
    }

    double weight_of(int peer) const override
    {
        const auto& known = weights_.known(peer);
        return contributes(io_.of(peer)) ? known.value_or(1) : 0;
    }

    void overdue(int peer) override
    {
        throw call_error(errc::timed_out, peer, io_.me(), status_.where);
    }

    /// By what a partner sends in view 0, and what its data counts.
    stragglers slow_partners() const
    {
        stragglers slow({.patience = how_.patience,
                         .stages = plan_.stages.stages(),
                         .bunch = static_cast<std::uint32_t>(2 * plan_.slots),
                         .weights = this});
        for (int peer = 0; peer < io_.size(); ++peer) {
            if (!io_.meets(peer) || !votes(io_.of(peer))) continue;
            const auto [there, back] = data_messages(plan_, peer, io_.me(), how_);
            slow.watch({.rank = peer,
                        .stage = plan_.stages.meeting(io_.me(), peer),
                        .contributions = there,
                        .results = back});
        }
        return slow;
    }

    wire::answer done_in_first_view() const
    {
        wire::answer said{.what = wire::ending::done,
                          .settlement = wire::digest(weights_.call()),
                          .result = votes_.results().common()};
        for (int peer = 0; peer < io_.size(); ++peer) said.weights.push_back(weights_.of(peer));
        return said;
    }

    peer_io& io_;
    vote_exchange& votes_;
    contribution_weights& weights_;
    const call_plan& plan_;
    call_status& status_;
    salvage how_;
    chunk_versions held_;
    watched_views views_;
    std::optional<stragglers> slow_;  // if they are lost for the time that this saves
    std::optional<later_views> later_;
};

inline task<> call_salvage::go_on(const std::optional<call_failure>& failure)
{
    loop& on = co_await this_loop{};
    const auto call = weights_.call().call;
    log(log_level::info, "call leaves its first view", {"call", "rank", "why"}, call, io_.me(),
        failure          ? failure->error().what()
        : views_.heard() ? "others have left the first"
                         : "it does not end");
    later_.emplace(io_, votes_, weights_, plan_, status_, how_);
    if (slow_) later_->suspect(suspects(on.now()));
    try {
        if (how_.gathers) {
            task<> made = how_.mover->make_own(held_);
            co_await std::move(made);
        }
        later_->begin(held_, failure ? &failure->error() : nullptr, on.now());
        if (!failure && !views_.heard()) later_->leave(on.now());
        task<> work = later_->run();
        co_await std::move(work);
    } catch (...) {
        later_->drop();
        io_.leave_answer(wire::encode(later_->answer()));
        throw;
    }
    io_.leave_answer(wire::encode(later_->answer()));
    const auto ending = later_->ending();
    if (ending.why) {
        const call_error error(ending.why, ending.culprit, io_.me(), status_.where,
                               failure ? failure->error().detail() : std::string());
        call_failure(std::make_exception_ptr(error), io_.me(), status_.where).write_to_log(call);
        throw error;
    }
    const auto end = co_await now();
    status_.result.gathered = status_.result.finished = end - status_.begin;
}

inline task<> call_salvage::serve_observers(std::vector<int> observers)
{
    std::vector<task<>> work;
    const auto answer = wire::encode(later_->answer());
    for (const int observer : observers) {
        io_.post(observer, io_.tag_for(message_kind::answer, 0), answer);
        work.push_back(serve_observer(observer));
    }
    co_await when_all(std::move(work));
}

/// One that fails is left unserved.
inline task<> call_salvage::serve_observer(int observer)
{
    try {
        if (how_.mover) {
            task<> served = how_.mover->serve(observer);
            co_await std::move(served);
        }
        status_.served(observer);
    } catch (const std::system_error&) {
        // It stays on the list of unserved observers.
    }
}

inline void call_salvage::finish(report& to)
{
    if (later_)
        later_->tell(to);
    else
        io_.leave_answer(wire::encode(done_in_first_view()));
}

}  // namespace papilio::detail
