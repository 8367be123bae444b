#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>
#include <vector>

namespace papilio::detail {

/// What the peers of a call tell each other beside the data: the weight of everybody, by
/// descriptors and again by votes, and by votes whether they hold the result. Pure: it neither
/// sends nor waits.
///
/// Votes follow the stages of the butterfly. A yes to a peer of stage k says that the whole block
/// of the sender has said yes, and names the weights of its peers. Whoever has a yes from all it
/// meets has one from everybody.
///
/// Clients may be out of each other's reach. Where there are several, they vote to the others only,
/// who vote when they have heard a yes from every client, and pass on the clients' weights.
class ballot {
public:
    ballot(const wire::descriptor& call, const std::vector<role>& roles, const butterfly& plan,
           int me)
        : call_(call), roles_(roles), plan_(plan), me_(me), weights_(roles.size(), 0.0)
    {
        for (int peer = 0; peer < plan.peers(); ++peer)
            if (of(peer) == role::client) clients_.push_back(peer);
        unheard_clients_ = clients_.size();
        reduced_by_.resize(index(plan.stages()));
        for (int k = 0; k < plan.stages(); ++k) told_.emplace_back(index(plan.radix(k)), 0.0);
        if (contributes(of(me))) told_[0][index(plan.digit(me, 0))] = call.weight;
        weights_[index(me)] = told_[0][index(plan.digit(me, 0))];
    }
    ballot(const ballot&) = delete;
    ballot& operator=(const ballot&) = delete;

    // ---- Weights.

    /// What to tell the peers of `stage`: the call, and the weight of this peer's version there.
    wire::descriptor descriptor(int stage)
    {
        auto d = call_;
        const double own = told_at(stage)[index(plan_.digit(me_, stage))];
        if (own > 0) d.weight = own;
        return d;
    }

    /// Checks the descriptor at the head of the first message from somebody.
    wire::descriptor check(bytes first) const
    {
        const auto theirs = wire::parse_descriptor(first);
        const auto unlike = wire::difference(call_, theirs);
        if (!unlike.empty()) throw std::system_error(errc::mismatch, unlike);
        return theirs;
    }

    /// Checks it, and takes the weight of the sender's version.
    void weigh(int peer, bytes first)
    {
        const auto theirs = check(first);
        const int k = plan_.meeting(me_, peer);
        if (!contributes_block(peer, k)) return;
        told_[index(k)][index(plan_.digit(peer, k))] = theirs.weight;
        if (k == 0) weights_[index(peer)] = theirs.weight;
    }

    /// The weights of the versions in `stage`, in rank order, of those that contain something.
    /// Complete when a first message has come from each of them, in this stage and those before.
    std::vector<double> weights(int stage)
    {
        const auto& told = told_at(stage);
        std::vector<double> found;
        for (int d = 0; d < plan_.radix(stage); ++d)
            if (contributes_block(plan_.partner(me_, stage, d), stage))
                found.push_back(told[index(d)]);
        return found;
    }

    /// Whether `peer`'s version in `stage` has anything in it.
    bool contributes_block(int peer, int stage) const
    {
        const auto begin = roles_.begin() + plan_.block(peer, stage);
        return std::any_of(begin, begin + plan_.block_size(stage), contributes);
    }

    /// By rank; zero for those that contribute nothing. Complete once all votes are in.
    double weight(int peer) const { return weights_[index(peer)]; }

    /// This peer has reduced a part by the weights it was told.
    void reduced() { reduced_ = true; }

    // ---- Votes.

    std::vector<std::byte> yes_to(int peer)
    {
        const int k = plan_.meeting(me_, peer);
        const auto v = wire::encode(wire::vote{
            .yes = true,
            .call = wire::digest(call_),
            .weights = reduced_ ? digest(told_at(k)) : 0,
            .weight = call_.weight,
        });
        std::vector<std::byte> message(v.begin(), v.end());
        for (const int also : spoken_for(me_, k)) {
            message.resize(message.size() + sizeof(double));
            store(message.data() + message.size() - sizeof(double), weights_[index(also)]);
        }
        return message;
    }

    std::vector<std::byte> no(int culprit, std::error_code why) const
    {
        const bool ours = why.category() == category() && known(static_cast<errc>(why.value()));
        const auto v = wire::encode(wire::vote{
            .call = wire::digest(call_),
            .weight = call_.weight,
            .culprit = culprit,
            .why = ours ? static_cast<errc>(why.value()) : errc::peer_failed,
        });
        return {v.begin(), v.end()};
    }

    std::size_t largest_vote(int peer) const
    {
        return wire::vote::encoded_size +
               spoken_for(peer, plan_.meeting(me_, peer)).size() * sizeof(double);
    }

    /// Takes `peer`'s vote; throws what keeps it from being a yes.
    void take(int peer, bytes message)
    {
        const int k = plan_.meeting(me_, peer);
        const auto head = std::min(message.size(), std::size_t{wire::vote::encoded_size});
        const auto v = wire::parse_vote(message.first(head));
        if (v.call != wire::digest(call_)) {
            refused_ = true;  // and it will say the same of ours
            throw std::system_error(errc::mismatch, "it voted about another call");
        }
        if (!v.yes) {
            refused_ |= v.why != errc::outcome_unknown;
            const bool somebody = v.culprit >= 0 && v.culprit < plan_.peers();
            throw call_error(v.why, somebody ? v.culprit : -1, peer, phase::vote);
        }
        if (message.size() != largest_vote(peer))
            throw std::system_error(errc::bad_message, "not a vote");
        if (v.weights != 0) reduced_by_[index(k)].push_back({peer, v.weights});
        if (k == 0 && contributes(of(peer))) note_weight(peer, v.weight);
        auto rest = message.subspan(head);
        for (const int also : spoken_for(peer, k)) {
            note_weight(also, load<double>(rest.data()));
            rest = rest.subspan(sizeof(double));
        }
        check_block(peer, k);
        if (of(peer) == role::client) --unheard_clients_;
    }

    /// All votes of `stage` are in. A peer that tells different weights to different owners is
    /// found out here, though not named.
    void close(int stage)
    {
        auto& told = told_[index(stage)];
        for (int d = 0; d < plan_.radix(stage); ++d)
            told[index(d)] = block_weight(plan_.partner(me_, stage, d), stage);
        for (const auto& [owner, weights] : reduced_by_[index(stage)])
            if (weights != digest(told))
                throw call_error(errc::mismatch, -1, me_, phase::vote,
                                 "peer " + std::to_string(owner) + " reduced by other weights");
    }

    /// Somebody has said no: nobody can succeed.
    bool refused() const noexcept { return refused_; }

    /// Several clients: a reducer waits for their votes before it casts its own.
    bool relayed() const { return clients_.size() > 1; }
    bool relays(int peer) const { return relayed() && reduces(of(peer)); }
    bool heard_clients() const { return unheard_clients_ == 0; }

private:
    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }
    role of(int peer) const { return roles_[index(peer)]; }

    /// What the versions in `stage` weigh; this peer's own is the sum of the stage before.
    const std::vector<double>& told_at(int stage)
    {
        if (stage > 0)
            told_[index(stage)][index(plan_.digit(me_, stage))] = sum(told_at(stage - 1));
        return told_[index(stage)];
    }

    static double sum(const std::vector<double>& weights)
    {
        double total = 0;
        for (const double w : weights) total += w;
        return total;
    }

    /// Whose weights `peer`'s yes in stage k names beside its own.
    std::vector<int> spoken_for(int peer, int k) const
    {
        if (k == 0) return relays(peer) ? clients_ : std::vector<int>{};
        std::vector<int> block;
        for (int i = 0; i < plan_.block_size(k); ++i) block.push_back(plan_.block(peer, k) + i);
        return block;
    }

    void note_weight(int peer, double weight)
    {
        const bool sensible = contributes(of(peer)) ? weight > 0 && weight < 0x1p53 : weight == 0;
        if (!sensible) throw std::system_error(errc::bad_message, "a weight that makes no sense");
        double& known = weights_[index(peer)];
        if (known != 0 && known != weight)
            throw std::system_error(errc::mismatch, "it told two different weights");
        known = weight;
    }

    /// A version weighs what its contributors do, added up in the order of the stages.
    double block_weight(int peer, int stage) const
    {
        const auto begin = weights_.begin() + plan_.block(peer, stage);
        std::vector<double> level(begin, begin + plan_.block_size(stage));
        for (int k = 0; k < stage; ++k) {
            const auto r = index(plan_.radix(k));
            for (std::size_t i = 0; i < level.size() / r; ++i)
                level[i] = sum({level.begin() + static_cast<std::ptrdiff_t>(i * r),
                                level.begin() + static_cast<std::ptrdiff_t>(i * r + r)});
            level.resize(level.size() / r);
        }
        return level.front();
    }

    void check_block(int peer, int stage) const
    {
        const double told = told_[index(stage)][index(plan_.digit(peer, stage))];
        if (told != 0 && told != block_weight(peer, stage))
            throw std::system_error(errc::mismatch, "it told two different weights");
    }

    static std::uint64_t digest(const std::vector<double>& weights)
    {
        std::uint64_t digest = 0;
        for (const double weight : weights)
            digest = hash(digest, std::bit_cast<std::uint64_t>(weight));
        return digest;
    }

    wire::descriptor call_;
    const std::vector<role>& roles_;
    const butterfly& plan_;
    int me_;
    std::vector<double> weights_;  // by rank; zero: unknown, or contributes nothing
    std::vector<std::vector<double>>
        told_;  // by stage and digit: what versions weigh; zero: unknown
    bool reduced_ = false;
    std::vector<std::vector<std::pair<int, std::uint64_t>>> reduced_by_;  // by stage
    std::vector<int> clients_;
    std::size_t unheard_clients_ = 0;
    bool refused_ = false;
};

}  // namespace papilio::detail
