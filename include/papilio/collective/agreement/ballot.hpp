#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The votes of a call: what to say, and what the others' votes mean. Pure: it neither sends nor
/// waits.
///
/// Votes follow the stages of the butterfly. A yes to a partner in stage k says that the whole
/// block of the sender has said yes, and names the weights of its peers. A peer that has a yes from
/// every partner has one from every peer.
///
/// Clients may be out of each other's reach. If there are several, they vote to the reducers only;
/// reducers vote when they have heard a yes from every client, and pass on the clients' weights.
class ballot {
public:
    ballot(contribution_weights& weights, const std::vector<role>& roles, const butterfly& plan,
           int me)
        : weights_(weights),
          call_(wire::digest(weights.call())),
          roles_(roles),
          plan_(plan),
          me_(me)
    {
        for (int peer = 0; peer < plan.peers(); ++peer)
            if (of(peer) == role::client) clients_.push_back(peer);
        unheard_clients_ = clients_.size();
        reduced_by_.resize(index(plan.stages()));
    }
    ballot(const ballot&) = delete;
    ballot& operator=(const ballot&) = delete;

    std::vector<std::byte> yes_to(int peer)
    {
        const int k = plan_.meeting(me_, peer);
        const auto v = wire::encode(wire::vote{
            .yes = true,
            .call = call_,
            .weights = weights_.reduced_by(k),
            .weight = weights_.call().weight,
            .result = results_.told(k),
        });
        std::vector<std::byte> message(v.begin(), v.end());
        for (const int also : spoken_for(me_, k)) {
            message.resize(message.size() + sizeof(double));
            store(message.data() + message.size() - sizeof(double), weights_.of(also));
        }
        return message;
    }

    std::vector<std::byte> no(int culprit, std::error_code why) const
    {
        const auto v = wire::encode(wire::vote{
            .call = call_,
            .weight = weights_.call().weight,
            .culprit = culprit,
            .why = wire::reason_of(why),
        });
        return {v.begin(), v.end()};
    }

    std::size_t max_vote(int peer) const
    {
        return wire::vote::encoded_size +
               spoken_for(peer, plan_.meeting(me_, peer)).size() * sizeof(double);
    }

    /// Takes `peer`'s vote. Throws the reason if it is no yes.
    void take(int peer, bytes message)
    {
        const int k = plan_.meeting(me_, peer);
        const auto head = std::min(message.size(), std::size_t{wire::vote::encoded_size});
        const auto v = wire::parse_vote(message.first(head));
        const bool undescribed = !v.yes && v.call == 0;
        if (v.call != call_ && !undescribed) {
            refused_ = true;  // and it will say the same of ours
            throw std::system_error(errc::mismatch, "it voted about another call");
        }
        if (!v.yes) {
            refused_ |= v.why != errc::outcome_unknown;
            const bool somebody = v.culprit >= 0 && v.culprit < plan_.peers();
            throw call_error(v.why, somebody ? v.culprit : -1, peer, phase::vote);
        }
        if (message.size() != max_vote(peer))
            throw std::system_error(errc::bad_message,
                                    "a vote of " + std::to_string(message.size()) + " bytes, not " +
                                        std::to_string(max_vote(peer)));
        if (v.weights != 0) reduced_by_[index(k)].push_back({peer, v.weights});
        if (k == 0 && contributes(of(peer))) weights_.note(peer, v.weight);
        auto rest = message.subspan(head);
        for (const int also : spoken_for(peer, k)) {
            weights_.note(also, load<double>(rest.data()));
            rest = rest.subspan(sizeof(double));
        }
        weights_.check_block(peer, k);
        results_.note(peer, index(plan_.block_size(k)), v.result);
        if (of(peer) == role::client) --unheard_clients_;
    }

    /// All votes of `stage` are in. A peer that tells different weights to different owners is
    /// found out here, though not named.
    void close(int stage)
    {
        const auto right = weights_.close(stage);
        for (const auto& [owner, weights] : reduced_by_[index(stage)])
            if (weights != right)
                throw call_error(errc::mismatch, -1, me_, phase::vote,
                                 "peer " + std::to_string(owner) + " reduced by other weights");
    }

    /// A peer has said no, or holds another result than somebody else: no peer can succeed.
    bool refused() const noexcept { return refused_ || results_.differ(); }

    /// What this peer holds, and what others have voted for.
    result_digests& results() noexcept { return results_; }
    const result_digests& results() const noexcept { return results_; }

    /// There are several clients: reducers wait for their votes before they cast their own.
    bool relayed() const { return clients_.size() > 1; }
    bool relays(int peer) const { return relayed() && reduces(of(peer)); }
    bool heard_clients() const { return unheard_clients_ == 0; }

private:
    role of(int peer) const { return roles_[index(peer)]; }

    /// The peers whose weights `peer`'s yes in stage k names beside its own.
    std::vector<int> spoken_for(int peer, int k) const
    {
        if (k == 0) return relays(peer) ? clients_ : std::vector<int>{};
        std::vector<int> block;
        for (int i = 0; i < plan_.block_size(k); ++i) block.push_back(plan_.block(peer, k) + i);
        return block;
    }

    contribution_weights& weights_;
    std::uint64_t call_;  // the descriptor's digest
    const std::vector<role>& roles_;
    const butterfly& plan_;
    int me_;
    std::vector<std::vector<std::pair<int, std::uint64_t>>> reduced_by_;  // by stage
    result_digests results_;
    std::vector<int> clients_;
    std::size_t unheard_clients_ = 0;
    bool refused_ = false;
};

}  // namespace papilio::detail
