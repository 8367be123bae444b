#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/known_weight.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The weights of a call's contributions: descriptors name them before the data, and votes again
/// after it. A contribution of weight 0 is a message without elements. Pure: it neither sends nor
/// waits.
class contribution_weights {
public:
    contribution_weights(const wire::descriptor& call, const call_plan& plan, int me)
        : call_(call),
          call_plan_(plan),
          me_(me),
          weights_(plan.roles.size()),
          heard_(plan.roles.size())
    {
        for (int k = 0; k < stages().stages(); ++k) told_.emplace_back(index(stages().radix(k)));
        if (contributes(plan.roles[index(me)])) {
            told_[0][index(stages().digit(me, 0))] = call.weight;
            weights_[index(me)] = call.weight;
        }
    }
    contribution_weights(const contribution_weights&) = delete;
    contribution_weights& operator=(const contribution_weights&) = delete;

    const wire::descriptor& call() const noexcept { return call_; }

    /// Throws `errc::no_contribution` if this peer has to contribute and does not.
    void check_own() const
    {
        if (contributes(call_plan_.roles[index(me_)])) check_present(call_.weight);
    }

    /// What to tell the partners of `stage`: the call, and the weight of this peer's contribution
    /// there.
    wire::descriptor descriptor(int stage)
    {
        auto d = call_;
        if (contributes_block(me_, stage)) d.weight = told_by(me_, stage);
        return d;
    }

    /// What follows the descriptor: of which weights that of this peer's contribution is made.
    std::vector<double> behind_descriptor(int stage) const
    {
        return told_of(stages().block(me_, stage), call_plan_.weights_in_contribution(stage));
    }

    /// Those of `count` peers from `first` on, to tell others. Zero for who contributes nothing.
    std::vector<double> told_of(int first, std::size_t count) const
    {
        std::vector<double> found(count);
        for (std::size_t i = 0; i < count; ++i)
            found[i] = known(first + static_cast<int>(i)).value_or(0);
        return found;
    }

    /// Notes what others say of the peers from `first` on, whom it does not bind.
    void hear_of(int first, std::span<const double> weights)
    {
        std::ranges::copy(weights, heard_.begin() + first);
    }

    /// Checks the descriptor at the head of a first message. Throws `errc::mismatch` and names the
    /// difference.
    wire::descriptor check(bytes first) const
    {
        const auto theirs = wire::parse_descriptor(first);
        const auto unlike = wire::difference(call_, theirs);
        if (!unlike.empty()) throw std::system_error(errc::mismatch, unlike);
        return theirs;
    }

    /// Checks it, and takes the weight of the sender's contribution, and the weights of which that
    /// is made. Throws `errc::no_contribution` for one of 0 that the operation cannot do without,
    /// and `errc::mismatch` for another than the sender has voted for. Returns how many bytes of
    /// the message are about weights.
    std::size_t take(int peer, bytes first);

    /// The contributions of `stage` that have elements, in rank order: whose they are, and their
    /// weights. Complete when a first message has come from every peer that may contribute, in this
    /// stage and those before.
    std::vector<contributor> of_stage(int stage)
    {
        std::vector<contributor> found;
        for (int d = 0; d < stages().radix(stage); ++d) {
            const int peer = stages().partner(me_, stage, d);
            const double weight = told_by(peer, stage);
            if (weight > 0) found.push_back({peer, weight});
        }
        return found;
    }

    /// Whether `peer` may contribute to `stage`, as far as roles say.
    bool contributes_block(int peer, int stage) const
    {
        const auto begin = call_plan_.roles.begin() + stages().block(peer, stage);
        return std::any_of(begin, begin + stages().block_size(stage), contributes);
    }

    /// Whether `peer`'s contribution to `stage` has elements, once its first message is here; of
    /// this peer's own, once the stage before has all of them.
    bool has_elements(int peer, int stage) { return told_by(peer, stage) > 0; }

    /// By rank; zero for those that contribute nothing. Complete once all votes are in.
    double of(int peer) const { return weights_[index(peer)].value_or(0); }

    /// What is known of a peer's own weight so far, by what it has said itself or by others.
    const known_weight& known(int peer) const
    {
        const auto& own = weights_[index(peer)];
        return own ? own : heard_[index(peer)];
    }

    /// This peer has reduced a part by the weights that it was told.
    void set_reduced() { reduced_ = true; }

    /// A digest of the weights by which this peer has reduced in `stage`; zero if it has not.
    std::uint64_t reduced_by(int stage) { return reduced_ ? weights_digest(told_at(stage)) : 0; }

    /// Notes what a vote says of `peer`'s weight. Throws `errc::bad_message` for one that cannot
    /// be, and `errc::mismatch` for another than before.
    void note(int peer, double weight);

    /// Compares the weights that votes named with the one by which `peer`'s contribution came.
    void check_block(int peer, int stage) const
    {
        const auto told = told_[index(stage)][index(stages().digit(peer, stage))];
        if (told && *told != block_weight(peer, stage))
            throw std::system_error(errc::mismatch, "it told two different weights");
    }

    /// All votes of `stage` are in: returns a digest of the weights by which everybody must have
    /// reduced.
    std::uint64_t close(int stage)
    {
        auto& told = told_[index(stage)];
        for (int d = 0; d < stages().radix(stage); ++d)
            told[index(d)] = block_weight(stages().partner(me_, stage, d), stage);
        return weights_digest(told);
    }

private:
    const butterfly& stages() const noexcept { return call_plan_.stages; }

    /// Whether `peer` has named the weights of its contribution by a vote that came before it. What
    /// others may have said of a client does not bind it.
    bool has_voted(int peer, int stage) const
    {
        if (call_plan_.roles[index(peer)] == role::client) return false;
        const auto begin = weights_.begin() + stages().block(peer, stage);
        return std::any_of(begin, begin + stages().block_size(stage),
                           [](const known_weight& w) { return w.has_value(); });
    }

    void check_present(double weight) const
    {
        if (weight == 0 && call_plan_.all_contribute)
            throw std::system_error(
                errc::no_contribution,
                "a weight of 0 in a call of several stages, where this operation is right only if "
                "all contribute: take one such as weighted_mean or sum, or leave "
                "call_options::radix out");
    }

    /// The weights of the contributions of `stage`; this peer's own is the sum of the stage before.
    const std::vector<known_weight>& told_at(int stage)
    {
        if (stage > 0) {
            const auto& before = told_at(stage - 1);
            told_[index(stage)][index(stages().digit(me_, stage))] =
                total_weight(stage == 1 ? in_sums(before) : before);
        }
        return told_[index(stage)];
    }

    /// What peers add to the weight of a sum: their own, or one each.
    std::vector<known_weight> in_sums(std::vector<known_weight> each) const
    {
        if (call_plan_.sums_count) std::ranges::transform(each, each.begin(), counted);
        return each;
    }

    double told_by(int peer, int stage)
    {
        return told_at(stage)[index(stages().digit(peer, stage))].value_or(0);
    }

    /// A contribution weighs as much as its contributors, added up in the order of the stages.
    double block_weight(int peer, int stage) const
    {
        if (stage == 0) return of(peer);
        const auto block = std::span(weights_).subspan(index(stages().block(peer, stage)),
                                                       index(stages().block_size(stage)));
        return block_weight({block.begin(), block.end()}, stage);
    }
    double block_weight(const std::vector<known_weight>& block, int stage) const
    {
        return block_total(in_sums(block), stages(), stage);
    }

    wire::descriptor call_;
    const call_plan& call_plan_;
    int me_;
    std::vector<known_weight> weights_;            // by rank
    std::vector<known_weight> heard_;              // the same, from those who have been told
    std::vector<std::vector<known_weight>> told_;  // of contributions, by stage and digit
    bool reduced_ = false;
};

inline std::vector<double> weights_of(std::span<const contributor> present)
{
    std::vector<double> weights;
    for (const auto& c : present) weights.push_back(c.weight);
    return weights;
}

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/agreement/impl/contribution_weights.hpp>
#endif
