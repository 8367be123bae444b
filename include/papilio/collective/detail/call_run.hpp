#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/detail/ballot.hpp>
#include <papilio/collective/detail/ledger.hpp>
#include <papilio/collective/detail/link_watch.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace papilio::detail {

/// Watches over one call: who is in it, what each peer owes, when time is up, and how all votes
/// turn out. What data moves, and how, is not its business.
///
/// A peer votes yes when it holds the complete result, and the call succeeds when every vote is a
/// yes. A peer that meets a failure before it has voted votes no, naming the culprit; a single no
/// fails the call for everybody. A peer that has voted yes and then misses a vote cannot know what
/// the others saw: its outcome is unknown.
class call_run {
public:
    call_run(any_transport net, const wire::descriptor& call, std::vector<role> roles,
             butterfly plan, time_point begin, duration limit)
        : net_(std::move(net)),
          call_(call),
          roles_(std::move(roles)),
          plan_(std::move(plan)),
          begin_(begin),
          limit_(limit),
          ballot_(call_, roles_, plan_, net_.rank()),
          told_(roles_.size(), false),
          ledger_(static_cast<int>(roles_.size()), begin),
          link_(net_, begin),
          closed_(index(plan_.stages()))
    {
        report_.call = call.call;
        report_.codec = codec_id{call.codec};
        report_.back = codec_id{call.back};
        report_.peers.resize(roles_.size());
        for (int peer = 0; peer < size(); ++peer)
            if (!votes(of(peer)) && peer != me()) unserved_.push_back(peer);
    }
    call_run(const call_run&) = delete;
    call_run& operator=(const call_run&) = delete;

    /// What is still to come of a call that was dropped, or has ended without somebody, is
    /// nobody's.
    ~call_run()
    {
        if (!whole_) net_.retire(name(message_kind::vote, 0));
    }

    int me() const { return net_.rank(); }
    int size() const noexcept { return static_cast<int>(roles_.size()); }
    role mine() const { return roles_[index(me())]; }
    role of(int peer) const { return roles_[index(peer)]; }
    const butterfly& plan() const noexcept { return plan_; }

    /// What everybody tells everybody beside the data.
    detail::ballot& ballot() noexcept { return ballot_; }

    tag name(message_kind kind, std::size_t i) const noexcept
    {
        return make_tag({.call = call_.call, .kind = kind, .index = static_cast<std::uint32_t>(i)});
    }

    /// `peer` owes a message of a kind: it could have sent it by now, for all this peer knows.
    void expect(int peer, message_kind kind) { ledger_.expect(peer, kind); }

    task<> send(int peer, tag t, bytes message)
    {
        report_.peers[index(peer)].sent += message.size();
        return link_.send(peer, t, message);
    }

    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        std::size_t size = 0;
        try {
            size = co_await net_.recv(peer, t, into);
        } catch (const std::system_error& failure) {
            if (failure.code() != errc::too_large) throw;
            throw std::system_error(errc::mismatch, "its messages are larger than agreed");
        }
        loop& on = co_await this_loop{};
        ledger_.came(peer, fields_of(t).kind, on.now());
        report_.peers[index(peer)].received += size;
        link_.received(size, on.now());
        co_return size;
    }

    /// Whether everybody whom this peer meets is so near that a message and its answer take no time
    /// to speak of: within a machine, or in the same rack.
    bool all_are_near()
    {
        constexpr duration near = std::chrono::microseconds(100);
        const auto longest = longest_round_trip(near);
        return longest && *longest < near;
    }

    /// This peer's part is complete.
    void part_reduced(time_point now)
    {
        report_.reduced = now - begin_;
        where_ = phase::result;
    }

    /// Whatever `work`, which deals with `peer` alone, throws is that peer's failure, unless it is
    /// a message of ours that exceeds our own transport's limit.
    task<> blaming(int peer, phase where, task<> work)
    {
        try {
            co_await work;
        } catch (const call_error&) {
            throw;
        } catch (const std::system_error& failure) {
            const bool ours = failure.code() == errc::too_large;
            throw call_error(failure.code(), ours ? me() : peer, me(), where, sentence(failure));
        }
    }

    /// Observer `peer` has fetched the whole of this peer's part.
    void served(int peer) { std::erase(unserved_, peer); }

    /// Moves the data by running `data`, and votes. Throws a `call_error` unless all agree.
    /// `aside` serves the observers; it cannot fail the call, and gets as long again as the call
    /// took without it, or a moment if that is more.
    task<report> run(task<> data, task<> aside)
    {
        std::exception_ptr error;
        std::vector<std::byte> no;
        try {
            std::vector<task<>> either;
            either.push_back(everything(std::move(data), std::move(aside)));
            either.push_back(watch());
            co_await when_any(std::move(either));
        } catch (const call_error& failure) {
            no = ballot_.no(failure.culprit(), unsure() ? errc::outcome_unknown : failure.code());
            error = std::current_exception();
        } catch (const std::system_error& failure) {
            no = ballot_.no(me(), failure.code());
            error = std::make_exception_ptr(
                call_error(failure.code(), me(), me(), where_, sentence(failure)));
        } catch (...) {
            no = ballot_.no(me(), errc::peer_failed);
            error = std::current_exception();
        }
        if (error) {
            net_.retire(name(message_kind::vote, 0));
            if (votes(mine())) {
                task<> told = tell(no);
                co_await timeout_quietly(std::move(told), begin_ + limit_);
            }
            std::rethrow_exception(unsure() ? unknown(error) : error);
        }
        co_return complete();
    }

    /// The same where there are no observers.
    task<report> run(task<> data)
    {
        const auto nothing = []() -> task<> { co_return; };
        return run(std::move(data), nothing());
    }

private:
    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }

    // ---- Time and blame.

    /// Ends the call when time is nearly up; what is left serves to tell the others why. Who knows
    /// the culprit at first hand speaks first: a contribution of the first stage waits for nobody
    /// but its sender, and what comes later waits for what comes before. Who has spoken to nobody
    /// when its turn comes is at fault. Who misses only votes has heard all that by the end; a
    /// client, whom others' votes reach through the reducers', has the last word. Once this peer's
    /// own work is done there is nobody left to blame, and observers have had their time.
    task<> watch()
    {
        const auto turns = suspicions();
        auto left = std::min<duration>(moment() * plan_.stages(), limit_ / 2);
        const auto step = left / static_cast<std::int64_t>(turns.size());
        for (const auto& [kind, stage] : turns) {
            const bool last = kind == message_kind::vote && ballot_.relayed();
            co_await sleep_until(begin_ + limit_ -
                                 (last && mine() == role::client ? left / 2 : left));
            if (done_.is_open()) co_return;
            left -= step;
            listen_for_life();
            const int culprit = ledger_.behind(
                kind, [&, k = stage](int peer) { return plan_.meeting(me(), peer) == k; });
            if (culprit >= 0) throw call_error(errc::timed_out, culprit, me(), where_);
        }
        throw call_error(errc::timed_out, -1, me(), where_);
    }

    /// Who can be waiting for whom, the first cause first.
    std::vector<std::pair<message_kind, int>> suspicions() const
    {
        std::vector<std::pair<message_kind, int>> turns;
        for (int k = 0; k < plan_.stages(); ++k) turns.emplace_back(message_kind::contribution, k);
        for (int k = plan_.stages(); k-- > 0;) turns.emplace_back(message_kind::result, k);
        for (int k = 0; k < plan_.stages(); ++k) turns.emplace_back(message_kind::vote, k);
        return turns;
    }

    /// A short time next to the call's limit.
    duration moment() const { return std::min<duration>(limit_ / 8, std::chrono::seconds(1)); }

    void listen_for_life()
    {
        for (int peer = 0; peer < size(); ++peer)
            if (meets(peer)) ledger_.heard(peer, net_.last_heard(peer));
    }

    /// To those whom this peer meets; nothing if it is not known of one of them. Does not look on
    /// beyond one of `enough`.
    std::optional<duration> longest_round_trip(duration enough = duration::max())
    {
        duration longest{};
        for (int peer = 0; peer < size() && longest < enough; ++peer) {
            if (peer == me() || !meets(peer)) continue;
            const auto taken = net_.round_trip(peer);
            if (!taken) return std::nullopt;
            longest = std::max(longest, *taken);
        }
        return longest;
    }

    bool meets(int peer) const { return plan_.meeting(me(), peer) >= 0; }

    // ---- The course of a call.

    task<> everything(task<> data, task<> aside)
    {
        std::vector<task<>> work;
        work.push_back(members(std::move(data)));
        if (!unserved_.empty()) work.push_back(bounded(std::move(aside)));
        co_await when_all(std::move(work));
    }

    task<> members(task<> data)
    {
        std::vector<task<>> work;
        for (int k = 0; k < plan_.stages(); ++k) work.push_back(hear_votes(k));
        work.push_back(move_and_vote(votes(mine()) ? std::move(data) : observed(std::move(data))));
        co_await when_all(std::move(work));
        loop& on = co_await this_loop{};
        report_.finished = on.now() - begin_;
        done_.open();
    }

    task<> bounded(task<> aside)
    {
        std::vector<task<>> either;
        either.push_back(std::move(aside));
        either.push_back(patience(done_, 1));
        co_await when_any(std::move(either));
    }

    /// Once all have agreed, an observer gets what it still lacks soon, or never.
    task<> observed(task<> data)
    {
        std::vector<task<>> either;
        either.push_back(std::move(data));
        either.push_back(left_behind());
        co_await when_any(std::move(either));
    }

    task<> left_behind()
    {
        task<> waited = patience(closed_.back(), 2);
        co_await std::move(waited);
        throw call_error(errc::timed_out, me(), me(), where_,
                         "the others have ended the call without this observer");
    }

    task<> patience(gate& since, int times)
    {
        co_await since.opened();
        loop& on = co_await this_loop{};
        co_await sleep_until(on.now() + times * std::max(on.now() - begin_, moment()));
    }

    // ---- Votes.

    task<> move_and_vote(task<> data)
    {
        co_await data;
        loop& on = co_await this_loop{};
        report_.gathered = on.now() - begin_;
        where_ = phase::vote;
        if (!votes(mine())) co_return;
        if (ballot_.relays(me())) {
            co_await clients_agreed_.opened();
        }
        voted_ = true;
        for (int k = 0; k < plan_.stages(); ++k) {
            if (k > 0) {
                co_await closed_[index(k - 1)].opened();
            }
            co_await tell_yes(k);
        }
    }

    task<> tell_yes(int stage)
    {
        std::vector<std::vector<std::byte>> messages;
        std::vector<task<>> sends;
        messages.reserve(index(plan_.radix(stage)));
        for (int d = 0; d < plan_.radix(stage); ++d) {
            const int peer = plan_.partner(me(), stage, d);
            if (peer == me() || out_of_reach(peer)) continue;
            messages.push_back(ballot_.yes_to(peer));
            sends.push_back(tell_one(peer, messages.back()));
        }
        co_await when_all(std::move(sends));
    }

    /// Tells those that have not had our vote yet. A peer that cannot be reached shows it by its
    /// own vote.
    task<> tell(bytes message)
    {
        std::vector<task<>> sends;
        for (int peer = 0; peer < size(); ++peer)
            if (meets(peer) && !told_[index(peer)] && !out_of_reach(peer))
                sends.push_back(tell_one(peer, message));
        co_await when_all(std::move(sends));
    }

    task<> tell_one(int peer, bytes message)
    {
        told_[index(peer)] = true;
        try {
            co_await send(peer, name(message_kind::vote, 0), message);
        } catch (const std::system_error&) {
            // Its silence, or its closed link, is noticed where its vote is awaited.
        }
    }

    bool out_of_reach(int peer) const { return mine() == role::client && of(peer) == role::client; }

    task<> hear_votes(int stage)
    {
        std::vector<task<>> work;
        for (int d = 0; d < plan_.radix(stage); ++d) {
            const int peer = plan_.partner(me(), stage, d);
            if (peer == me() || !votes(of(peer)) || out_of_reach(peer)) continue;
            expect(peer, message_kind::vote);
            work.push_back(blaming(peer, phase::vote, hear_vote(peer)));
        }
        co_await when_all(std::move(work));
        if (stage > 0) {
            co_await closed_[index(stage - 1)].opened();
        }
        ballot_.close(stage);
        closed_[index(stage)].open();
    }

    task<> hear_vote(int peer)
    {
        std::vector<std::byte> room(ballot_.largest_vote(peer));
        const auto size = co_await recv(peer, name(message_kind::vote, 0), room);
        ballot_.take(peer, bytes(room).first(size));
        if (ballot_.heard_clients()) clients_agreed_.open();
    }

    /// We have said yes to somebody, and nobody has said no: who can tell how it ended?
    bool unsure() const { return voted_ && !ballot_.refused(); }

    std::exception_ptr unknown(std::exception_ptr error) const
    {
        try {
            std::rethrow_exception(error);
        } catch (const call_error& failure) {
            return std::make_exception_ptr(call_error(errc::outcome_unknown, failure.culprit(),
                                                      me(), phase::vote, failure.detail()));
        } catch (...) {
            return error;
        }
    }

    static task<> timeout_quietly(task<> work, time_point when)
    {
        try {
            co_await timeout(std::move(work), when);
        } catch (const std::system_error&) {
            // Whoever has not been told by now finds out by its own deadline.
        }
    }

    report complete()
    {
        std::vector<contributor> from;
        for (int peer = 0; peer < size(); ++peer)
            if (contributes(of(peer))) from.push_back({peer, ballot_.weight(peer)});
        report_.made_of = {{{0, static_cast<std::size_t>(call_.count)}, std::move(from)}};
        report_.unserved_observers = unserved_;
        link_.tell(report_);
        report_.round_trip = longest_round_trip();
        whole_ = unserved_.empty();
        return std::move(report_);
    }

    any_transport net_;
    wire::descriptor call_;
    std::vector<role> roles_;
    butterfly plan_;
    time_point begin_;
    duration limit_;
    report report_;
    detail::ballot ballot_;
    std::vector<bool> told_;  // by rank: has had our vote
    ledger ledger_;
    link_watch link_;
    phase where_ = phase::contribution;
    bool voted_ = false;         // we have said yes to somebody
    bool whole_ = false;         // nothing is still to come
    std::vector<int> unserved_;  // observers that have not fetched all they may
    gate clients_agreed_;        // every client has said yes
    std::deque<gate> closed_;    // by stage: all votes are in, and say yes
    gate done_;                  // all votes are in, and this peer's own work is done
};

}  // namespace papilio::detail
