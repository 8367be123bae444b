#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/agreement/voter.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/view_message.hpp>
#include <papilio/wire/view_vote.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A call that has left view 0, until it ends: sends what its `voter` says, tells it what comes,
/// and has the data of its views moved. docs/design/views.md.
class view_run final : chunk_keeper {
public:
    /// `mover` moves the data, or is null if there is none; `call` and it are borrowed.
    view_run(peer_io& io, const call_status& status, const call_shape& call, std::uint64_t digest,
             double weight, view_times times, view_mover* mover)
        : io_(io),
          status_(status),
          call_(call),
          digest_(digest),
          mover_(mover),
          voter_(call, io.me(), digest, weight, times),
          streams_(index(io.size()), 0)
    {
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
        reasons_.emplace(peer, why);
        voter_.complain(peer, now);
        changed_.open();
    }

    /// The call has ended for a peer.
    void ended(int peer, const wire::answer& said, time_point now)
    {
        if (said.what == wire::ending::withdrawn) reasons_.emplace(peer, make_error_code(said.why));
        voter_.take(peer, said, now);
        changed_.open();
    }

    /// Why a peer is no member any more, as far as this one knows.
    std::error_code reason(int peer) const
    {
        const auto found = reasons_.find(peer);
        return found != reasons_.end() ? found->second : make_error_code(errc::peer_failed);
    }

    /// Of what the voter had to say, sends what has not been sent. A peer that it does not reach
    /// is one whose link has ended, as whoever listens to it finds.
    void send_parcels()
    {
        for (const auto& said : voter_.take_parcels())
            for (const int to : said.to)
                std::visit([&](const auto& message) { send(to, message); }, said.message);
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

    /// Whether the data that moves is that of the view which the voter is in.
    bool moves() const { return voter_.moves() && voter_.view() == moving_; }

    void send(int to, const wire::view_vote& vote)
    {
        // Of view 0 nobody waits for it any more: whoever has left it says so by its promise.
        if (vote.view > 0) post(to, wire::encode(vote));
    }
    void send(int to, const wire::promise& said) { post(to, wire::encode(said)); }
    void send(int to, const wire::proposal& said) { post(to, wire::encode(said)); }
    void send(int to, const wire::answer& said)
    {
        io_.post(to, io_.tag_for(message_kind::answer, 0), wire::encode(said));
    }
    void post(int to, bytes message)
    {
        io_.post(to, io_.tag_for(message_kind::view, streams_[index(to)]++), message);
    }

    task<> drive();
    task<> move_views();
    task<> move_view();
    task<> listen(int peer);
    task<> hear_end(int peer);
    void take(int peer, bytes message, time_point now);
    void note(const std::exception_ptr& thrown, time_point now);
    void follow_view();

    peer_io& io_;
    const call_status& status_;
    const call_shape& call_;
    std::uint64_t digest_;
    view_mover* mover_;
    detail::voter voter_;
    std::vector<std::size_t> streams_;        // by rank: how many messages it was sent
    std::map<int, std::error_code> reasons_;  // by rank: why it is not worked with
    std::uint8_t moving_ = 0;                 // the view whose data moves
    gate changed_;                            // something has been told to the voter
    gate entered_;                            // a view has begun: its data is to be moved
    gate left_;                               // the view whose data moves has been left
    std::exception_ptr unexpected_;
};

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

inline task<> view_run::run(std::vector<task<>> beside)
{
    for (const int peer : call_.who.all()) {
        if (!call_.who.meet(io_.me(), peer)) continue;
        beside.push_back(listen(peer));
        beside.push_back(hear_end(peer));
    }
    beside.push_back(move_views());
    co_await when_any(drive(), all_of(std::move(beside)));
    if (unexpected_) std::rethrow_exception(unexpected_);
}

/// Says what the voter has to say, and wakes it in time.
inline task<> view_run::drive()
{
    loop& on = co_await this_loop{};
    for (;;) {
        changed_.close();
        send_parcels();
        if (voter_.ended()) co_return;
        follow_view();
        const auto due = voter_.next_wake();
        co_await when_any(opened(changed_), wait_until(due));
        if (on.now() >= due) voter_.wake(on.now());
    }
}

/// The data of a view moves until the view is left.
inline void view_run::follow_view()
{
    if (moves()) return;
    left_.open();
    if (voter_.moves()) entered_.open();
}

inline task<> view_run::move_views()
{
    for (;;) {
        co_await entered_.opened();
        entered_.close();
        left_.close();
        moving_ = voter_.view();
        if (moves()) {
            co_await when_any(move_view(), opened(left_));
        }
    }
}

/// Ends when the view is left.
inline task<> view_run::move_view()
{
    std::exception_ptr thrown;
    try {
        io_.begin_view(voter_.settlement().members);
        if (mover_) {
            task<> moved = mover_->move(call_, voter_.settlement(), *this);
            co_await std::move(moved);
        }
    } catch (...) {
        thrown = std::current_exception();
    }
    const auto now = co_await papilio::now();
    if (thrown && moves()) note(thrown, now);
    co_await left_.opened();
}

/// Whoever is to blame for what was thrown is complained about, or this peer cannot go on.
inline void view_run::note(const std::exception_ptr& thrown, time_point now)
{
    const call_failure failure(thrown, io_.me(), status_.where);
    const auto& error = failure.error();
    if (error.culprit() >= 0 && error.culprit() != io_.me())
        return complain(error.culprit(), error.code(), now);
    if (!failure.expected()) unexpected_ = thrown;
    voter_.withdraw(error.code(), error.culprit());
    changed_.open();
}

/// Takes what a peer says of views, until its link ends.
inline task<> view_run::listen(int peer)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> into(wire::largest_view_message(call_.extent));
    std::error_code why;
    try {
        for (std::size_t i = 0; i <= max_call_index; ++i) {
            const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::view, i), into);
            take(peer, bytes(into).first(size), on.now());
        }
        why = errc::bad_message;  // no honest peer has so much to say
    } catch (const std::system_error& fault) {
        why = fault.code();
    }
    reasons_.emplace(peer, why);
    if (why == errc::bad_message || why == errc::too_large)
        voter_.complain(peer, on.now());
    else
        voter_.lose(peer, on.now());
    changed_.open();
}

inline void view_run::take(int peer, bytes message, time_point now)
{
    switch (wire::view_message_of(message)) {
    case wire::view_message::promise:
        voter_.take(peer, wire::parse_promise(message, call_.extent), now);
        break;
    case wire::view_message::proposal:
        voter_.take(peer, wire::parse_proposal(message, call_.extent), now);
        break;
    case wire::view_message::vote:
        io_.voted(peer, now);
        voter_.take(peer, wire::parse_view_vote(message), now);
        break;
    }
    changed_.open();
}

/// Takes the answer of a peer whose call has ended.
inline task<> view_run::hear_end(int peer)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> into(wire::largest_answer(call_.extent));
    try {
        const auto size = co_await io_.hear(peer, io_.tag_for(message_kind::answer, 0), into);
        const auto said = wire::parse_answer(bytes(into).first(size), call_.extent);
        ended(peer, said, on.now());
    } catch (const std::system_error& fault) {
        // That its link has ended is noticed where the others of its messages are awaited.
        if (fault.code() == errc::bad_message) complain(peer, fault.code(), on.now());
    }
}

}  // namespace papilio::detail
