#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/collective/detail/ledger.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/round_error.hpp>
#include <papilio/plan/role.hpp>
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
///
/// Clients may be out of each other's reach. Where there are several, they vote to the others only,
/// who vote when they have heard a yes from every client, and pass on the clients' weights.
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
        for (int peer = 0; peer < size(); ++peer)
            if (of(peer) == role::client) clients_.push_back(peer);
        unheard_clients_ = clients_.size();
        if (contributes(mine())) weights_[index(me())] = call.weight;
    }
    round(const round&) = delete;
    round& operator=(const round&) = delete;

    /// What is still to come of a round that was dropped, or has ended without somebody, is
    /// nobody's.
    ~round()
    {
        if (!whole_) net_.retire(name(message_kind::vote, 0));
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

    /// Whatever `work`, which deals with `peer` alone, throws is that peer's failure, unless it is
    /// a message of ours that exceeds our own transport's limit.
    task<> blaming(int peer, phase where, task<> work)
    {
        try {
            co_await work;
        } catch (const round_error&) {
            throw;
        } catch (const std::system_error& failure) {
            const bool ours = failure.code() == errc::too_large;
            throw round_error(failure.code(), ours ? me() : peer, me(), where, sentence(failure));
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
                round_error(failure.code(), me(), me(), where_, sentence(failure)));
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
        co_return complete();
    }

    /// The same where there are no observers.
    task<report> run(task<> data)
    {
        const auto nothing = []() -> task<> { co_return; };
        return run(std::move(data), nothing());
    }

private:
    static std::size_t index(int rank) noexcept { return static_cast<std::size_t>(rank); }

    /// Ends the call when time is nearly up; what is left serves to tell the others why. Who knows
    /// the culprit at first hand speaks first, for a contribution waits for nobody but its sender.
    /// Owners that live have spoken then, so results that are still missing are their owners'
    /// fault. Who misses only votes has heard all that by the end; a client, whom others' votes
    /// reach through the reducers', has the last word. Once this peer's own work is done there is
    /// nobody left to blame, and observers have had their time.
    task<> watch()
    {
        auto left = moment();
        for (const auto kind :
             {message_kind::contribution, message_kind::result, message_kind::vote}) {
            const bool last = kind == message_kind::vote && relayed() && mine() == role::client;
            co_await sleep_until(begin_ + limit_ - (last ? left / 2 : left));
            if (done_.is_open()) co_return;
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
        loop& on = co_await this_loop{};
        report_.finished = on.now() - begin_;
        done_.open();
    }

    task<> hear_votes()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < size(); ++peer) {
            if (peer == me() || !votes(of(peer)) || out_of_reach(peer)) continue;
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
        if (relays(me())) {
            co_await clients_agreed_.opened();
        }
        voted_ = true;
        co_await tell({.yes = true,
                       .call = wire::digest(call_),
                       .weights = reduced_by_,
                       .weight = call_.weight});
    }

    /// Sends `v` to everybody who listens. A peer that cannot be reached shows it by its own vote.
    task<> tell(wire::vote v)
    {
        const auto encoded = wire::encode(v);
        std::vector<std::byte> message(encoded.begin(), encoded.end());
        if (v.yes && relays(me())) {
            message.resize(vote_size(me()));
            for (std::size_t i = 0; i < clients_.size(); ++i)
                store(message.data() + encoded.size() + i * sizeof(double),
                      weights_[index(clients_[i])]);
        }
        std::vector<task<>> sends;
        for (int peer = 0; peer < size(); ++peer)
            if (peer != me() && !out_of_reach(peer)) sends.push_back(tell_one(peer, message));
        co_await when_all(std::move(sends));
    }

    bool relayed() const { return clients_.size() > 1; }
    bool relays(int peer) const { return relayed() && reduces(of(peer)); }
    bool out_of_reach(int peer) const { return mine() == role::client && of(peer) == role::client; }

    /// A yes of `peer`; what it relays are the clients' weights, in rank order.
    std::size_t vote_size(int peer) const
    {
        const auto relayed_weights = relays(peer) ? clients_.size() * sizeof(double) : 0;
        return wire::vote::encoded_size + relayed_weights;
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
        std::vector<std::byte> room(vote_size(peer));
        const auto size = co_await recv(peer, name(message_kind::vote, 0), room);
        const auto message = bytes(room).first(size);
        const auto v =
            wire::parse_vote(message.first(std::min(size, std::size_t{wire::vote::encoded_size})));
        if (v.call != wire::digest(call_)) {
            refused_ = true;  // and it will say the same of ours
            throw std::system_error(errc::mismatch, "it voted about another call");
        }
        if (!v.yes) {
            refused_ = true;
            const bool somebody = v.culprit >= 0 && v.culprit < this->size();
            throw round_error(v.why, somebody ? v.culprit : -1, peer, phase::vote);
        }
        if (size != vote_size(peer)) throw std::system_error(errc::bad_message, "not a vote");
        if (reduces(of(peer))) others_reduced_by_.push_back({peer, v.weights});
        if (contributes(of(peer))) note_weight(peer, v.weight);
        if (relays(peer)) note_relayed_weights(message.subspan(wire::vote::encoded_size));
        if (of(peer) == role::client && --unheard_clients_ == 0) clients_agreed_.open();
    }

    void note_weight(int peer, double weight)
    {
        double& known = weights_[index(peer)];
        if (known != 0 && known != weight)
            throw std::system_error(errc::mismatch, "it told two different weights");
        known = weight;
    }

    void note_relayed_weights(bytes from)
    {
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            const auto weight = load<double>(from.data() + i * sizeof(double));
            if (!(weight > 0) || !(weight < 0x1p53))
                throw std::system_error(errc::bad_message, "a weight that makes no sense");
            note_weight(clients_[i], weight);
        }
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
            if (contributes(of(peer))) from.push_back({peer, weights_[index(peer)]});
        report_.made_of = {{{0, static_cast<std::size_t>(call_.count)}, std::move(from)}};
        report_.unserved_observers = unserved_;
        whole_ = unserved_.empty();
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
    bool whole_ = false;         // nothing is still to come
    std::vector<int> unserved_;  // observers that have not fetched all they may
    std::vector<int> clients_;
    std::size_t unheard_clients_ = 0;
    gate clients_agreed_;  // every client has said yes
    gate agreed_;          // all others' votes have come, and say yes
    gate done_;            // and this peer's own work is done
};

}  // namespace papilio::detail
