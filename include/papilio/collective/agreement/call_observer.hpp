#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/joined_views.hpp>
#include <papilio/collective/agreement/missing_chunks.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/agreement/salvage.hpp>
#include <papilio/collective/agreement/settled_report.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/agreement/watched_views.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// An observer of a call with `salvage` when the call leaves view 0. It has no say in any view:
/// whoever has succeeded in a later one tells it what is decided. It fetches what it lacks from
/// those, from each a few chunks at a time, until none is missing.
class call_observer {
public:
    call_observer(peer_io& io, const contribution_weights& weights, const call_plan& plan,
                  call_status& status, const salvage& how)
        : io_(io),
          weights_(weights),
          plan_(plan),
          status_(status),
          mover_(how.mover),
          shape_(shape_of(plan, how)),
          held_(shape_.extent),
          views_(io),
          missing_(plan, held_),
          fetched_(index(io.size()))
    {
    }
    call_observer(const call_observer&) = delete;
    call_observer& operator=(const call_observer&) = delete;

    /// The chunks of the result that have come.
    chunk_versions& held() noexcept { return held_; }

    /// Ends when the call has ended in a later view for somebody.
    task<> hear_of_views() { return views_.hear(); }

    /// View 0 is left. Until the result is here; throws a `call_error` if it does not come.
    /// `first` is what its messages of view 0 were.
    task<> follow(const std::optional<call_failure>& failure, const result_digests& first);

    bool followed() const noexcept { return complete_.is_open(); }

    /// What the result is made of, and whom the call went on without.
    void tell(report& to) const
    {
        settled().tell(to, weights_.call().count > 0);
        for (const int peer : shape_.who.all() - decided_->settled.members)
            to.left.push_back({peer, peer == lost_ ? why_ : make_error_code(errc::peer_failed)});
    }

private:
    task<> follow_all(int withdrawn);
    task<> follow_peer(int peer);
    task<> fetch_from(int peer);
    task<> hear_no(int peer);
    void take(const wire::answer& said);
    void put_back(int peer);

    task<> completed() { co_await complete_.opened(); }
    task<> timed_out() { co_await sleep_until(later(status_.begin, status_.limit)); }
    static task<> all_of(std::vector<task<>> work) { co_await when_all(std::move(work)); }

    settled_report settled() const
    {
        auto weights = decided_->settled.weights;
        for (std::size_t peer = 0; peer < told_.size(); ++peer)
            if (weights[peer] == wire::unknown_weight) weights[peer] = told_[peer];
        return {decided_->settled, std::move(weights), plan_, shape_};
    }

    peer_io& io_;
    const contribution_weights& weights_;
    const call_plan& plan_;
    call_status& status_;
    view_mover* mover_;
    call_shape shape_;
    chunk_versions held_;
    watched_views views_;
    int lost_ = -1;  // for whose sake view 0 was left, and why
    std::error_code why_;

    std::optional<joined_view> decided_;
    std::uint64_t result_ = 0;  // its digest, as those tell it who hold it
    std::vector<double> told_;  // the weights by rank, if it is view 0 that was decided
    missing_chunks missing_;
    std::vector<fetched_stream> fetched_;  // by rank
    gate returned_;                        // somebody does not give what it was asked for
    gate complete_;
};

inline task<> call_observer::follow(const std::optional<call_failure>& failure,
                                    const result_digests& first)
{
    int withdrawn = -1;
    if (failure) {
        const auto& error = failure->error();
        lost_ = error.culprit();
        why_ = error.code();
        if (error.reporter() != io_.me()) withdrawn = error.reporter();
    }
    co_await when_any(follow_all(withdrawn), timed_out());
    if (!followed() && failure) failure->rethrow(false);
    if (!followed() || !settled().knows_weights())
        throw call_error(errc::timed_out, -1, io_.me(), status_.where,
                         "nobody has had the whole result for this observer");
    const auto own = decided_->settled.view == 0 ? first.own()
                     : mover_                    ? mover_->digest_of(decided_->versions)
                                                 : 0;
    if (own != 0 && result_ != 0 && own != result_)
        throw call_error(errc::corrupted, io_.me(), io_.me(), status_.where,
                         "the others hold another result, as their digest shows");
    for (const int peer : shape_.who.reducers())
        if (mover_) mover_->thank(peer, fetched_[index(peer)]);
    const auto end = co_await now();
    status_.result.gathered = status_.result.finished = end - status_.begin;
}

/// Asks all that reduce, but for one that has withdrawn, until the result is complete or none of
/// them is left.
inline task<> call_observer::follow_all(int withdrawn)
{
    std::vector<task<>> work;
    for (const int peer : shape_.who.reducers())
        if (peer != withdrawn) work.push_back(follow_peer(peer));
    co_await when_any(all_of(std::move(work)), completed());
}

inline task<> call_observer::follow_peer(int peer)
{
    try {
        co_await when_any(fetch_from(peer), hear_no(peer));
    } catch (const std::system_error&) {
        // Others may have what it does not give.
    }
    put_back(peer);
}

/// Its vote is a no when it cannot serve this observer any more.
inline task<> call_observer::hear_no(int peer)
{
    std::vector<std::byte> into(wire::vote::encoded_size + index(io_.size()) * sizeof(double));
    for (bool yes = true; yes;) {
        const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::vote, 0), into);
        const auto head = std::min(size, std::size_t{wire::vote::encoded_size});
        yes = wire::parse_vote(bytes(into).first(head)).yes;
    }
}

inline task<> call_observer::fetch_from(int peer)
{
    std::vector<std::byte> into(wire::largest_answer(shape_.extent));
    const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::answer, 0), into);
    take(wire::parse_answer(bytes(into).first(size), shape_.extent));
    while (!followed()) {
        const auto& request = missing_.ask(peer);
        if (request.empty()) {
            returned_.close();
            co_await returned_.opened();
            continue;
        }
        task<> fetched =
            mover_->fetch(peer, fetched_[index(peer)], request, decided_->versions, held_);
        co_await std::move(fetched);
        missing_.given(peer);
        if (missing_.none()) complete_.open();
    }
}

/// Who has succeeded says what is decided; all say the same.
inline void call_observer::take(const wire::answer& said)
{
    if (said.what != wire::ending::done)
        throw std::system_error(make_error_code(said.why), "it has withdrawn");
    const auto call = wire::digest(weights_.call());
    const auto view =
        said.decided ? joined_view(shape_, *said.decided) : joined_view::first(shape_, call);
    if (view.settled.call != call || view.digest != said.settlement ||
        (decided_ && !(view.versions == decided_->versions)))
        throw std::system_error(errc::mismatch, "it tells of another result");
    if (decided_) return;
    decided_ = view;
    told_ = said.weights;
    result_ = said.result;
    missing_.begin(decided_->versions);
    if (missing_.none()) complete_.open();
}

/// Others are to give what `peer` has not given.
inline void call_observer::put_back(int peer)
{
    missing_.put_back(peer);
    if (missing_.none()) complete_.open();
    returned_.open();
}

}  // namespace papilio::detail
