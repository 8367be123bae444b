#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/held_chunks.hpp>
#include <papilio/collective/agreement/joined_views.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_messages.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/agreement/view_times.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_vote.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// One voter of a call, as it goes from view to view until the call ends: docs/design/views.md.
/// Pure: it is told what happens and what time it is, and says what is to be sent. Whoever drives
/// it sends the parcels and moves the data of `view()`.
class voter {
public:
    /// `digest` is that of the call's descriptor, `weight` what this peer's data counts.
    voter(const call_shape& call, int me, std::uint64_t digest, double weight, view_times times)
        : call_(call),
          me_(me),
          digest_(digest),
          times_(times),
          weights_(index(call.extent.peers), wire::unknown_weight),
          promises_(index(call.extent.peers)),
          views_(joined_view::first(call_, digest)),
          chunks_(call_, me, views_.last().versions)
    {
        weights_[index(me)] = weight;
    }

    voter(const voter&) = delete;
    voter& operator=(const voter&) = delete;

    /// By what this peer's votes tell of its result; borrowed. Without one they tell nothing.
    void read_result(const result_reader* by) noexcept { reader_ = by; }

    // What happens

    /// Peer `peer` cannot be worked with any more, as far as this one knows.
    void complain(int peer, time_point now);

    /// The same, but only since a promise has not come: there is nothing to complain about any more
    /// when both are members of that view.
    void miss_promise(int peer, time_point now);

    /// The view does not come to an end, whoever is to blame: those who promise the next one are
    /// there.
    void leave(time_point now)
    {
        if (!ended_ && promised_ == view()) leave_view(now);
    }

    /// The link to a peer is closed.
    void lose(int peer, time_point now);

    /// This peer will complain about another one that owes it something, as others perhaps do not.
    void miss_alone(int peer) { unheard_.insert(peer); }

    void take(int from, const wire::promise& said, time_point now);
    void take(int from, const wire::proposal& said, time_point now);
    void take(int from, const wire::view_vote& said, time_point now);
    void take(int from, const wire::answer& said, time_point now);

    /// A chunk of the result is about to be written: it is in no version until it is held. No chunk
    /// may be that a vote which counts is about.
    void overwrite(std::size_t part, std::uint32_t column)
    {
        PAPILIO_CHECK(!voted_ || !chunks_.counts(part, column), "a chunk that was voted for stays");
        chunks_.overwrite(part, column);
    }

    /// A chunk of the result is complete, in a version of the view that this peer is in.
    void hold(std::size_t part, std::uint32_t column, std::uint8_t version);

    /// A contributor's weight is known.
    void weigh(int peer, double weight) { weights_[index(peer)] = weight; }

    /// This peer cannot go on by its own fault, or finds that the call is not one.
    void withdraw(std::error_code why, int culprit);

    /// All of view 0's result is here, and has this digest, as votes of view 0 tell it; 0: none.
    void note_first_result(std::uint64_t digest) noexcept { first_result_ = digest; }

    /// Votes of view 0 have told of different results: it is not decided, and never will be.
    void differ_in_first(int odd_one)
    {
        if (!ended_) refuse(views_.of(0), odd_one);
    }

    /// These live, and have not begun the call yet: nobody is missed for being late with a promise
    /// that it cannot give. The latest word counts.
    void excuse(const rank_set& late) { excused_ = late; }

    /// It is time: see `next_wake`.
    void wake(time_point now);

    // What follows

    /// When `wake` is to be called, if nothing happens before.
    time_point next_wake() const;

    /// The messages to be sent since the last time, in this order.
    std::vector<parcel> take_parcels() { return std::exchange(parcels_, {}); }

    /// Data moves in `view()`, between its members.
    bool moves() const noexcept { return !ended_ && promised_ == view() && !listens_; }

    /// The view that this peer is in.
    std::uint8_t view() const noexcept { return views_.last().settled.view; }
    const wire::proposal& settlement() const noexcept { return views_.last().settled; }

    /// If it has succeeded: what the view that was decided has settled on.
    const wire::proposal& decided() const noexcept { return decided_->settled; }

    /// What its result holds.
    const chunk_versions& holds() const noexcept { return chunks_.versions(); }

    /// It votes in no view before this one.
    std::uint8_t promised() const noexcept { return promised_; }

    /// In which view it has voted, while that vote counts.
    const std::optional<std::uint8_t>& voted() const noexcept { return voted_; }

    /// Whether a peer has voted in the view that this one is in.
    bool has_vote_of(int peer) const { return views_.has_voted(peer, views_.last()); }

    /// Whether a peer has ever promised a view.
    bool has_promised(int peer) const { return promises_[index(peer)].has_value(); }

    /// Whether a peer has promised the view that this one is in, or a later one.
    bool has_promise_of(int peer) const
    {
        const auto& said = promises_[index(peer)];
        return said && said->view >= view();
    }

    /// A contributor's weight, or `wire::unknown_weight`.
    double weight(int peer) const { return weights_[index(peer)]; }

    const rank_set& complaints() const noexcept { return complaints_; }
    const std::optional<view_ending>& ended() const noexcept { return ended_; }

    /// If it has ended: what it answers to whoever is still in the call.
    wire::answer answer() const;

private:
    const rank_set& members() const noexcept { return settlement().members; }
    bool coordinates(std::uint8_t view) const { return call_.who.coordinator(view) == me_; }
    bool cannot_coordinate(int view) const
    {
        const int peer = call_.who.coordinator(view);
        return complaints_.contains(peer) || withdrawn_.contains(peer);
    }
    bool waits_in_vain(int which) const;
    void complain_about_absent(time_point now);
    void join_complaints(int from, const rank_set& others, time_point now);
    rank_set partners() const;

    void miss(int peer, time_point now);
    void leave_view(time_point now);
    void promise_view(int next, time_point now);
    void forgive_members();
    void promise_again(time_point now);
    void send_promise();
    void propose_if_due(time_point now);
    void join_if_due(time_point now);
    void join(time_point now);
    void add_view(const wire::proposal& settled);
    joined_view beside_vote(joined_view next);
    void vote_if_due();
    void succeed_if_due();
    void hear_done(int from, const wire::answer& said, time_point now);
    /// Of this peer's result, as those of the view make theirs; 0: of what it holds there is none.
    std::uint64_t digest_of(const joined_view& view) const
    {
        if (view.settled.view == 0) return first_result_;
        return reader_ && has_all() ? reader_->digest_of(view.versions) : 0;
    }
    bool has_all() const;
    void conclude(const joined_view& view);
    void succeed(const joined_view& decided, std::uint64_t result);
    void refuse(const joined_view& view, int odd_one);
    void run_out(std::error_code why);
    void fail(std::error_code why, int culprit);
    void leave_if_hopeless();

    call_shape call_;
    int me_;
    std::uint64_t digest_;
    view_times times_;

    std::vector<double> weights_;  // by rank
    std::uint8_t promised_ = 0;
    std::optional<std::uint8_t> voted_;         // in which view, while that vote counts
    std::optional<std::uint8_t> voted_before_;  // the same, without that view
    const result_reader* reader_ = nullptr;
    rank_set complaints_;
    rank_set withdrawn_;
    rank_set closed_;    // to whom there is no link any more
    rank_set unheard_;   // complained about because nothing has come
    rank_set late_;      // complained about for nothing but a promise
    rank_set excused_;   // of whom nothing can have come yet
    time_point left_{};  // when the view joined last was left

    std::vector<std::optional<wire::promise>> promises_;  // by rank: the latest
    std::uint8_t proposed_ = 0;                           // by this peer
    std::optional<wire::proposal> pending_;  // to be joined when all withdrawals are known
    joined_views views_;
    held_chunks chunks_;
    bool listens_ = false;  // no member, but holds all: waits for the members' votes
    bool promised_by_anybody_ = false;
    bool in_vain_ = false;  // coordinates the view promised, and missed somebody before it began

    std::vector<parcel> parcels_;
    std::optional<view_ending> reason_;  // of the first that withdrew by a fault
    std::optional<view_ending> ended_;
    std::optional<joined_view> decided_;
    std::uint64_t result_ = 0;        // the digest of what was decided
    std::uint64_t first_result_ = 0;  // that of view 0's result, if it is here
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/agreement/impl/voter.hpp>
#include <papilio/collective/agreement/impl/voter_end.hpp>
#include <papilio/collective/agreement/impl/voter_views.hpp>
#endif
