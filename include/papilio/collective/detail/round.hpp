#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/detail/ledger.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/collective/round_error.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <array>
#include <exception>
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
class round {
public:
    round(any_transport net, const wire::descriptor& call, std::vector<role> roles,
          time_point begin, duration limit)
        : net_(std::move(net)),
          call_(call),
          roles_(std::move(roles)),
          begin_(begin),
          limit_(limit),
          weights_(roles_.size(), 0.0),
          ledger_(static_cast<int>(roles_.size()), begin)
    {
        report_.round = call.round;
        report_.peers.resize(roles_.size());
        for (int peer = 0; peer < size(); ++peer)
            if (!votes(of(peer)) && peer != me()) unserved_.push_back(peer);
        if (contributes(mine())) weights_[index(me())] = call.weight;
    }

    int me() const { return net_.rank(); }
    int size() const noexcept { return static_cast<int>(roles_.size()); }
    role mine() const { return roles_[index(me())]; }
    role of(int peer) const { return roles_[index(peer)]; }
    const wire::descriptor& call() const noexcept { return call_; }
    tag name(message_kind kind, std::size_t i) const noexcept
    {
        return make_tag(
            {.round = call_.round, .kind = kind, .index = static_cast<std::uint32_t>(i)});
    }

    /// `peer` is expected to send `messages` more of a kind.
    void expect(int peer, message_kind kind, std::size_t messages)
    {
        ledger_.expect(peer, kind, messages);
    }

    task<> send(int peer, tag t, bytes message)
    {
        report_.peers[index(peer)].sent += message.size();
        return net_.send(peer, t, message);
    }

    task<std::size_t> recv(int peer, tag t, mutable_bytes into)
    {
        const auto size = co_await net_.recv(peer, t, into);
        loop& on = co_await this_loop{};
        ledger_.came(peer, fields_of(t).kind, on.now());
        report_.peers[index(peer)].received += size;
        co_return size;
    }

    /// Checks the descriptor at the head of the first chunk from `peer` and takes its weight.
    void check(int peer, bytes first_chunk)
    {
        const auto theirs = wire::parse_descriptor(first_chunk);
        const auto unlike = wire::difference(call_, theirs);
        if (!unlike.empty()) throw std::system_error(errc::mismatch, unlike);
        if (contributes(of(peer))) weights_[index(peer)] = theirs.weight;
    }

    /// The weights of those who contribute, in rank order. Complete when a first chunk has come
    /// from each of them.
    std::vector<double> contributors_weights() const
    {
        std::vector<double> weights;
        for (int peer = 0; peer < size(); ++peer)
            if (contributes(of(peer))) weights.push_back(weights_[index(peer)]);
        return weights;
    }

    /// This peer's part of `size` elements is complete.
    void part_reduced(std::size_t size, time_point now)
    {
        report_.reduced = now - begin_;
        if (size > 0) reduced_by_ = digest_of_weights();
        where_ = phase::result;
    }

    /// Whatever `work`, which deals with `peer` alone, throws is that peer's failure.
    task<> blaming(int peer, phase where, task<> work)
    {
        try {
            co_await work;
        } catch (const round_error&) {
            throw;
        } catch (const std::system_error& failure) {
            const bool oversized = failure.code() == errc::too_large;
            throw round_error(oversized ? errc::mismatch : failure.code(), peer, me(), where,
                              oversized ? "its chunks are larger than agreed" : failure.what());
        }
    }

    /// Observer `peer` has fetched the whole of this peer's part.
    void served(int peer) { std::erase(unserved_, peer); }

    /// Moves the data by running `data`, and votes. Throws a `round_error` unless all agree.
    /// `aside` serves the observers; it cannot fail the round, and gets as long again as the round
    /// took without it, or a moment if that is more.
    task<report> run(task<> data, task<> aside)
    {
        std::exception_ptr error;
        wire::vote no{};
        try {
            std::vector<task<>> either;
            either.push_back(everything(std::move(data), std::move(aside)));
            either.push_back(watch());
            co_await when_any(std::move(either));
        } catch (const round_error& failure) {
            no = against(failure.culprit(), failure.code());
            error = std::current_exception();
        } catch (const std::system_error& failure) {
            no = against(me(), failure.code());
            error = std::make_exception_ptr(
                round_error(failure.code(), me(), me(), where_, failure.what()));
        } catch (...) {
            no = against(me(), errc::peer_failed);
            error = std::current_exception();
        }
        if (error) {
            net_.retire(name(message_kind::vote, 0));
            if (!voted_ && votes(mine())) {
                task<> told = tell(no);
                co_await timeout_quietly(std::move(told), begin_ + limit_);
            }
            std::rethrow_exception(voted_ && !refused_ ? unknown(error) : error);
        }
        loop& on = co_await this_loop{};
        co_return complete(on.now());
    }

private:
    static std::size_t index(int rank) noexcept { return static_cast<std::size_t>(rank); }

    /// Ends the call when time is nearly up; what is left serves to tell the others why. Who knows
    /// the culprit at first hand speaks first, for a contribution waits for nobody but its sender.
    /// Owners that live have spoken then, so results that are still missing are their owners'
    /// fault. Who misses only votes has heard all that by the end.
    task<> watch()
    {
        auto left = moment();
        for (const auto kind :
             {message_kind::contribution, message_kind::result, message_kind::vote}) {
            co_await sleep_until(begin_ + limit_ - left);
            left -= moment() / 3;
            listen_for_life();
            const int culprit = ledger_.behind(kind);
            if (culprit >= 0) throw round_error(errc::timed_out, culprit, me(), where_);
        }
        throw round_error(errc::timed_out, -1, me(), where_);
    }

    /// A short time next to the call's limit.
    duration moment() const { return std::min<duration>(limit_ / 8, std::chrono::seconds(1)); }

    void listen_for_life()
    {
        for (int peer = 0; peer < size(); ++peer)
            if (peer != me()) ledger_.heard(peer, net_.last_heard(peer));
    }

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
        work.push_back(hear_votes());
        work.push_back(move_and_vote(votes(mine()) ? std::move(data) : observed(std::move(data))));
        co_await when_all(std::move(work));
        done_.open();
    }

    task<> hear_votes()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < size(); ++peer) {
            if (peer == me() || !votes(of(peer))) continue;
            expect(peer, message_kind::vote, 1);
            work.push_back(blaming(peer, phase::vote, hear_vote(peer)));
        }
        co_await when_all(std::move(work));
        check_weights();
        agreed_.open();
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
        task<> waited = patience(agreed_, 2);
        co_await std::move(waited);
        throw round_error(errc::timed_out, me(), me(), where_,
                          "the others have ended the round without this observer");
    }

    task<> patience(gate& since, int times)
    {
        co_await since.opened();
        loop& on = co_await this_loop{};
        co_await sleep_until(on.now() + times * std::max(on.now() - begin_, moment()));
    }

    task<> move_and_vote(task<> data)
    {
        co_await data;
        loop& on = co_await this_loop{};
        report_.gathered = on.now() - begin_;
        where_ = phase::vote;
        if (!votes(mine())) co_return;
        voted_ = true;
        co_await tell({.yes = true,
                       .call = wire::digest(call_),
                       .weights = reduced_by_,
                       .weight = call_.weight});
    }

    /// Sends `v` to everybody who listens. A peer that cannot be reached shows it by its own vote.
    task<> tell(wire::vote v)
    {
        const auto message = wire::encode(v);
        std::vector<task<>> sends;
        for (int peer = 0; peer < size(); ++peer)
            if (peer != me()) sends.push_back(tell_one(peer, message));
        co_await when_all(std::move(sends));
    }

    task<> tell_one(int peer, bytes message)
    {
        try {
            co_await send(peer, name(message_kind::vote, 0), message);
        } catch (const std::system_error&) {
            // Its silence, or its closed link, is noticed where its vote is awaited.
        }
    }

    task<> hear_vote(int peer)
    {
        std::array<std::byte, wire::vote::encoded_size> room{};
        const auto size = co_await recv(peer, name(message_kind::vote, 0), room);
        const auto v = wire::parse_vote(bytes(room).first(size));
        if (v.call != wire::digest(call_)) {
            refused_ = true;  // and it will say the same of ours
            throw std::system_error(errc::mismatch, "it voted about another call");
        }
        if (!v.yes) {
            refused_ = true;
            const bool somebody = v.culprit >= 0 && v.culprit < this->size();
            throw round_error(v.why, somebody ? v.culprit : -1, peer, phase::vote);
        }
        if (reduces(of(peer))) others_reduced_by_.push_back({peer, v.weights});
        if (!contributes(of(peer))) co_return;
        double& weight = weights_[index(peer)];
        if (weight != 0 && weight != v.weight)
            throw std::system_error(errc::mismatch, "it told two different weights");
        weight = v.weight;
    }

    /// A peer that tells different weights to different owners is found out here, though not named.
    void check_weights() const
    {
        for (const auto& [owner, weights] : others_reduced_by_)
            if (weights != 0 && weights != digest_of_weights())
                throw round_error(errc::mismatch, -1, me(), phase::vote,
                                  "peer " + std::to_string(owner) + " reduced by other weights");
    }

    std::uint64_t digest_of_weights() const
    {
        std::uint64_t digest = 0;
        for (const double weight : weights_)
            digest = hash(digest, std::bit_cast<std::uint64_t>(weight));
        return digest;
    }

    wire::vote against(int culprit, std::error_code why) const
    {
        const bool ours = why.category() == category() && known(static_cast<errc>(why.value()));
        return {.call = wire::digest(call_),
                .weight = call_.weight,
                .culprit = culprit,
                .why = ours ? static_cast<errc>(why.value()) : errc::peer_failed};
    }

    std::exception_ptr unknown(std::exception_ptr error) const
    {
        try {
            std::rethrow_exception(error);
        } catch (const round_error& failure) {
            return std::make_exception_ptr(round_error(errc::outcome_unknown, failure.culprit(),
                                                       me(), phase::vote, failure.what()));
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

    report complete(time_point now)
    {
        std::vector<contributor> from;
        for (int peer = 0; peer < size(); ++peer)
            if (contributes(of(peer))) from.push_back({peer, weights_[index(peer)]});
        report_.made_of = {{{0, static_cast<std::size_t>(call_.count)}, std::move(from)}};
        report_.finished = now - begin_;
        report_.unserved_observers = unserved_;
        if (!unserved_.empty()) net_.retire(name(message_kind::vote, 0));
        return std::move(report_);
    }

    any_transport net_;
    wire::descriptor call_;
    std::vector<role> roles_;
    time_point begin_;
    duration limit_;
    report report_;
    std::vector<double> weights_;  // by rank; zero: unknown, or contributes nothing
    ledger ledger_;
    std::uint64_t reduced_by_ = 0;
    std::vector<std::pair<int, std::uint64_t>> others_reduced_by_;
    phase where_ = phase::contribution;
    bool voted_ = false;         // we have said yes to somebody
    bool refused_ = false;       // somebody has said no
    std::vector<int> unserved_;  // observers that have not fetched all they may
    gate agreed_;                // all others' votes have come, and say yes
    gate done_;                  // and this peer's own work is done
};

}  // namespace papilio::detail
