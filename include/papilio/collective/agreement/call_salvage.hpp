#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/task.hpp>
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
#include <papilio/collective/agreement/vote_exchange.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/descriptor.hpp>

#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a call with `salvage` has beside one without: it knows what view 0 has brought, hears when
/// others leave it, and goes on in later views.
class call_salvage final : overdue_listener {
public:
    /// Throws `errc::bad_argument` if the transport cannot tell of views.
    call_salvage(peer_io& io, vote_exchange& votes, contribution_weights& weights,
                 const call_plan& plan, call_status& status, salvage how)
        : io_(io),
          votes_(votes),
          weights_(weights),
          plan_(plan),
          status_(status),
          how_(std::move(how)),
          held_(extent_of(plan))
    {
        if (!io.watch_views(heard_))
            throw std::system_error(errc::bad_argument,
                                    "this transport cannot salvage calls, since it does not watch "
                                    "them: leave call_options::salvage out");
    }
    call_salvage(const call_salvage&) = delete;
    call_salvage& operator=(const call_salvage&) = delete;
    ~call_salvage() { io_.unwatch_views(heard_); }

    /// The chunks of the result that view 0 has brought.
    chunk_versions& held() noexcept { return held_; }

    /// Ends when others have left view 0, or the call.
    task<> hear_of_views() { co_await heard_.opened(); }

    /// Fails when somebody is overdue.
    task<> watch_progress() { return detail::watch_progress(io_, *this); }

    bool can_go_on(const std::optional<call_failure>& failure) const;

    /// Ends the call in a later view, after a failure or because others have left view 0. Throws a
    /// `call_error` if it does not end in success.
    task<> go_on(const std::optional<call_failure>& failure);

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
    void overdue(int peer) override
    {
        throw call_error(errc::timed_out, peer, io_.me(), status_.where);
    }

    wire::answer done_in_first_view() const
    {
        wire::answer said{.what = wire::ending::done, .settlement = wire::digest(weights_.call())};
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
    gate heard_;
    std::optional<later_views> later_;
};

/// Whether the others can do without whoever is at fault. What a peer finds wrong with itself or
/// with the call is no loss of another.
inline bool call_salvage::can_go_on(const std::optional<call_failure>& failure) const
{
    if (!failure) return true;
    const auto& error = failure->error();
    if (error.reporter() != io_.me()) return true;
    return failure->expected() && error.culprit() >= 0 && error.culprit() != io_.me() &&
           error.code() != errc::mismatch && error.code() != errc::no_contribution;
}

inline task<> call_salvage::go_on(const std::optional<call_failure>& failure)
{
    const auto begin = co_await now();
    const auto call = weights_.call().call;
    log(log_level::info, "call leaves its first view", {"call", "rank", "why"}, call, io_.me(),
        failure            ? failure->error().what()
        : heard_.is_open() ? "others have left the first"
                           : "it does not end");
    later_.emplace(io_, votes_, weights_, plan_, status_, how_);
    later_->begin(held_, failure ? &failure->error() : nullptr, begin);
    if (!failure && !heard_.is_open()) later_->leave(begin);
    try {
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

inline void call_salvage::finish(report& to)
{
    if (later_)
        later_->tell(to);
    else
        io_.leave_answer(wire::encode(done_in_first_view()));
}

}  // namespace papilio::detail
