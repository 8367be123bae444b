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
#include <papilio/collective/agreement/view_run.hpp>
#include <papilio/collective/agreement/vote_exchange.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/descriptor.hpp>

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
          run_(io, status, shape_, digest_, own_weight(), times_of(io, status), how.mover)
    {
    }
    later_views(const later_views&) = delete;
    later_views& operator=(const later_views&) = delete;

    /// View 0 is left. Of the result `held` is there. `lost` says why; null: others have left it,
    /// or nobody has, and it does not end.
    void begin(const chunk_versions& held, const call_error* lost, time_point now);

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
        if (!end.why && !knows_weights()) return {errc::outcome_unknown, -1};
        return end;
    }
    wire::answer answer() const { return run_.voter().answer(); }

    /// Of a call that has succeeded: what it is made of, and whom it went on without.
    void tell(report& to) const;

private:
    /// As long as the call would wait for a message of the data, it waits for a promise.
    static view_times times_of(peer_io& io, const call_status& status)
    {
        const auto round_trip = io.longest_round_trip().value_or(duration{});
        const auto pace = io.debts().pace().deadline(round_trip);
        return {status.begin, status.limit, round_trip, pace.value_or(detail::pace::least)};
    }

    double own_weight() const { return contributes(io_.mine()) ? weights_.call().weight : 0; }

    task<> hear_first_vote(int peer);
    void note_weights();
    void note_yes(int peer, time_point now);
    double weight_of(int peer) const
    {
        const double told = run_.voter().decided().weights[index(peer)];
        return told != wire::unknown_weight ? told : run_.voter().weight(peer);
    }
    bool knows_weights() const;
    std::vector<contributor> members_that_contribute() const;
    std::vector<contributor> contributors(std::uint8_t version) const;

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
    for (const int peer : first_.voting_partners())
        if (first_.has_agreed(peer)) note_yes(peer, now);
    for (std::size_t part = 0; part < shape_.extent.parts; ++part)
        for (std::uint32_t c = 0; c < shape_.extent.columns; ++c) {
            const bool empty = plan_.chunk(static_cast<int>(part), c).size == 0;
            if (empty || held.at(part, c) == 0) voter.hold(part, c, 0);
        }
    if (!lost) return;
    if (lost->reporter() == io_.me())
        run_.complain(lost->culprit(), lost->code(), now);
    else
        run_.ended(lost->reporter(),
                   {.why = wire::reason_of(lost->code()), .culprit = lost->culprit()}, now);
}

/// Those that are known by now, from descriptors and votes.
inline void later_views::note_weights()
{
    for (int peer = 0; peer < io_.size(); ++peer)
        if (const auto known = weights_.known(peer)) run_.voter().weigh(peer, *known);
}

/// A yes of view 0 speaks for the whole block of its sender.
inline void later_views::note_yes(int peer, time_point now)
{
    const auto& stages = plan_.stages;
    const int k = stages.meeting(io_.me(), peer);
    note_weights();
    for (int i = 0; i < stages.block_size(k); ++i)
        run_.voter().take(stages.block(peer, k) + i, wire::view_vote{0, digest_, digest_}, now);
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
        run_.ended(peer, {.why = wire::reason_of(no.code()), .culprit = no.culprit()}, on.now());
    } catch (const std::system_error& fault) {
        // That its link has ended is noticed where the others of its messages are awaited.
        if (fault.code() == errc::bad_message || fault.code() == errc::mismatch)
            run_.complain(peer, fault.code(), on.now());
    }
}

/// Whose elements are in a version, and what they weigh.
inline std::vector<contributor> later_views::contributors(std::uint8_t version) const
{
    std::vector<contributor> found;
    for (const auto& v : run_.voter().decided().versions) {
        if (v.version != version) continue;
        for (const int peer : v.contributors)
            if (const double weight = weight_of(peer); weight != 0) found.push_back({peer, weight});
    }
    return found;
}

/// Of a call without elements.
inline std::vector<contributor> later_views::members_that_contribute() const
{
    std::vector<contributor> found;
    for (const int peer : run_.voter().decided().members& shape_.who.contributors())
        if (const double weight = weight_of(peer); weight > 0) found.push_back({peer, weight});
    return found;
}

/// Those of view 0 are in votes, which may not have come.
inline bool later_views::knows_weights() const
{
    for (const auto& v : run_.voter().decided().versions)
        for (const int peer : v.contributors)
            if (weight_of(peer) == wire::unknown_weight) return false;
    return true;
}

inline void later_views::tell(report& to) const
{
    const auto& decided = run_.voter().decided();
    to.view = decided.view;
    for (const int peer : shape_.who.all() - decided.members)
        to.left.push_back({peer, run_.reason(peer)});
    to.made_of.clear();
    if (weights_.call().count == 0) to.made_of.push_back({{}, members_that_contribute()});
    for (std::size_t p = 0; p < decided.runs.size(); ++p)
        for (const auto& run : decided.runs[p]) {
            const auto first = plan_.chunk(static_cast<int>(p), run.first);
            const auto last = plan_.chunk(static_cast<int>(p), run.first + run.columns - 1);
            const part range{first.begin, last.begin + last.size - first.begin};
            if (range.size == 0) continue;
            if (run.version > 0) to.made_again += range.size;
            auto from = contributors(run.version);
            if (!to.made_of.empty() && to.made_of.back().from == from &&
                to.made_of.back().range.begin + to.made_of.back().range.size == range.begin)
                to.made_of.back().range.size += range.size;
            else
                to.made_of.push_back({range, std::move(from)});
        }
}

}  // namespace papilio::detail
