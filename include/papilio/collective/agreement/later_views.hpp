#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/agreement/settled_report.hpp>
#include <papilio/collective/agreement/view_run.hpp>
#include <papilio/collective/agreement/vote_exchange.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What becomes of a call that has lost somebody in view 0: takes over from it what is there, and
/// says how the call has ended.
class later_views {
public:
    later_views(peer_io& io, vote_exchange& first, const contribution_weights& weights,
                const call_plan& plan, call_status& status, const salvage& how)
        : io_(io),
          first_(first),
          weights_(weights),
          plan_(plan),
          shape_(shape_of(plan, how)),
          digest_(wire::digest(weights.call())),
          run_(io, status, shape_, digest_, own_weight(), times_of(io, status, how), how.mover)
    {
    }
    later_views(const later_views&) = delete;
    later_views& operator=(const later_views&) = delete;

    /// View 0 is left. Of the result `held` is there. `lost` says why; null: others have left it,
    /// or nobody has, and it does not end.
    void begin(const chunk_versions& held, const call_error* lost, time_point now);

    /// These are too slow, if others say so as well.
    void suspect(const rank_set& slow) { run_.suspect(slow); }

    /// Nobody has left view 0 before this peer, who blames nobody for it.
    void leave(time_point now) { run_.voter().leave(now); }

    /// Until the call has ended.
    task<> run()
    {
        std::vector<task<>> votes;
        for (const int peer : first_.voting_partners())
            if (!first_.has_agreed(peer)) votes.push_back(hear_first_vote(peer));
        return run_.run(std::move(votes));
    }

    /// The others are told that this peer drops the call; false if it has ended before.
    bool drop()
    {
        if (run_.voter().ended()) return false;
        run_.voter().withdraw(errc::peer_failed, io_.me());
        run_.send_parcels();
        return true;
    }

    /// How the call has ended, and what whoever asks later is told of it.
    view_ending ending() const
    {
        const auto end = run_.voter().ended().value_or(view_ending{errc::peer_failed, io_.me()});
        if (!end.why && !settled().knows_weights()) return {errc::outcome_unknown, -1};
        return end;
    }
    wire::answer answer() const { return run_.voter().answer(); }

    /// Of a call that has succeeded: what it is made of, and whom it went on without.
    void tell(report& to) const;

private:
    /// As long as the call would wait for a message of the data, it waits for a promise; no longer
    /// than two seconds, if peers are lost for the time that they cost.
    static view_times times_of(peer_io& io, const call_status& status, const salvage& how)
    {
        const auto round_trip = io.longest_round_trip().value_or(duration{});
        const auto pace = io.debts().pace().deadline(round_trip);
        auto patience = pace.value_or(detail::pace::least);
        if (how.on_straggler == on_straggler::wait) patience = status.limit / 8;
        if (how.on_straggler == on_straggler::drop_to_save)
            patience = std::min<duration>(patience, detail::pace::least);
        return {status.begin, status.limit, round_trip, patience};
    }

    double own_weight() const { return contributes(io_.mine()) ? weights_.call().weight : 0; }

    /// Of view 0's result: a chunk that there is not is here as well.
    bool is_held(const chunk_versions& held, std::size_t part, std::uint32_t column) const
    {
        return plan_.chunk(static_cast<int>(part), column).size == 0 || held.at(part, column) == 0;
    }
    bool is_whole(const chunk_versions& held) const
    {
        for (std::size_t part = 0; part < shape_.extent.parts; ++part)
            for (std::uint32_t c = 0; c < shape_.extent.columns; ++c)
                if (!is_held(held, part, c)) return false;
        return true;
    }

    task<> hear_first_vote(int peer);
    void note_weights();
    void note_yes(int peer, time_point now);
    double weight_of(int peer) const
    {
        const double told = run_.voter().decided().weights[index(peer)];
        return told != wire::unknown_weight ? told : run_.voter().weight(peer);
    }
    settled_report settled() const;

    peer_io& io_;
    vote_exchange& first_;
    const contribution_weights& weights_;
    const call_plan& plan_;
    call_shape shape_;
    std::uint64_t digest_;
    view_run run_;
};

inline void later_views::begin(const chunk_versions& held, const call_error* lost, time_point now)
{
    auto& voter = run_.voter();
    note_weights();
    if (is_whole(held)) voter.note_first_result(first_.results().own());
    for (const int peer : first_.voting_partners())
        if (first_.has_agreed(peer)) note_yes(peer, now);
    for (std::size_t part = 0; part < shape_.extent.parts; ++part)
        for (std::uint32_t c = 0; c < shape_.extent.columns; ++c)
            if (is_held(held, part, c)) voter.hold(part, c, 0);
    if (!lost) return;
    if (lost->reporter() == io_.me())
        run_.complain(lost->culprit(), lost->code(), now);
    else
        run_.ended(lost->reporter(),
                   {.why = wire::reason_of(lost->code()), .culprit = lost->culprit()}, now);
}

/// Those that are known by now, from descriptors and votes. What is gathered weighs the same.
inline void later_views::note_weights()
{
    for (int peer = 0; peer < io_.size(); ++peer)
        if (shape_.gathers)
            run_.voter().weigh(peer, 1);
        else if (const auto known = weights_.known(peer))
            run_.voter().weigh(peer, *known);
}

/// A yes of view 0 speaks for the whole block of its sender, and for the result that those hold
/// who have said yes so far.
inline void later_views::note_yes(int peer, time_point now)
{
    const auto& stages = plan_.stages;
    const int k = stages.meeting(io_.me(), peer);
    note_weights();
    const auto& results = first_.results();
    if (results.disagree()) return run_.differ_in_first(results.odd_one());
    const wire::view_vote yes{0, digest_, digest_, results.common()};
    for (int i = 0; i < stages.block_size(k); ++i)
        run_.voter().take(stages.block(peer, k) + i, yes, now);
}

/// A vote of view 0 may come after this peer has left it. A no is a withdrawal.
inline task<> later_views::hear_first_vote(int peer)
{
    loop& on = co_await this_loop{};
    try {
        co_await first_.receive_from(peer);
        note_yes(peer, on.now());
        run_.changed();
    } catch (const call_error& no) {
        if (first_.results().differ())
            run_.differ_in_first(no.culprit());
        else
            run_.ended(peer, {.why = wire::reason_of(no.code()), .culprit = no.culprit()},
                       on.now());
    } catch (const std::system_error& fault) {
        // That its link has ended is noticed where the others of its messages are awaited.
        if (fault.code() == errc::bad_message || fault.code() == errc::mismatch)
            run_.complain(peer, fault.code(), on.now());
    }
}

inline settled_report later_views::settled() const
{
    std::vector<double> weights;
    for (int peer = 0; peer < io_.size(); ++peer) weights.push_back(weight_of(peer));
    return {run_.voter().decided(), std::move(weights), plan_, shape_};
}

inline void later_views::tell(report& to) const
{
    settled().tell(to, weights_.call().count > 0);
    for (const int peer : shape_.who.all() - run_.voter().decided().members)
        to.left.push_back({peer, run_.reason(peer)});
}

}  // namespace papilio::detail
