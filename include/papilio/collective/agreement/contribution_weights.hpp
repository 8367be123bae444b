#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The weights of a call's contributions: told by descriptors before the data, and again by votes
/// after it. Pure: it neither sends nor waits.
class contribution_weights {
public:
    contribution_weights(const wire::descriptor& call, const std::vector<role>& roles,
                         const butterfly& plan, int me)
        : call_(call), roles_(roles), plan_(plan), me_(me), weights_(roles.size(), 0.0)
    {
        for (int k = 0; k < plan.stages(); ++k) told_.emplace_back(index(plan.radix(k)), 0.0);
        if (contributes(roles[index(me)])) told_[0][index(plan.digit(me, 0))] = call.weight;
        weights_[index(me)] = told_[0][index(plan.digit(me, 0))];
    }
    contribution_weights(const contribution_weights&) = delete;
    contribution_weights& operator=(const contribution_weights&) = delete;

    const wire::descriptor& call() const noexcept { return call_; }

    /// What to tell the partners of `stage`: the call, and the weight of this peer's contribution
    /// there.
    wire::descriptor descriptor(int stage)
    {
        auto d = call_;
        const double own = told_at(stage)[index(plan_.digit(me_, stage))];
        if (own > 0) d.weight = own;
        return d;
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

    /// Checks it, and takes the weight of the sender's contribution.
    void take(int peer, bytes first)
    {
        const auto theirs = check(first);
        const int k = plan_.meeting(me_, peer);
        if (!contributes_block(peer, k)) return;
        told_[index(k)][index(plan_.digit(peer, k))] = theirs.weight;
        if (k == 0) weights_[index(peer)] = theirs.weight;
    }

    /// The weights of the contributions of `stage`, in rank order, of those that contain something.
    /// Complete when a first message has come from each of them, in this stage and those before.
    std::vector<double> of_stage(int stage)
    {
        const auto& told = told_at(stage);
        std::vector<double> found;
        for (int d = 0; d < plan_.radix(stage); ++d)
            if (contributes_block(plan_.partner(me_, stage, d), stage))
                found.push_back(told[index(d)]);
        return found;
    }

    /// Whether `peer`'s contribution to `stage` has anything in it.
    bool contributes_block(int peer, int stage) const
    {
        const auto begin = roles_.begin() + plan_.block(peer, stage);
        return std::any_of(begin, begin + plan_.block_size(stage), contributes);
    }

    /// By rank; zero for those that contribute nothing. Complete once all votes are in.
    double of(int peer) const { return weights_[index(peer)]; }

    /// This peer has reduced a part by the weights that it was told.
    void set_reduced() { reduced_ = true; }

    /// A digest of the weights by which this peer has reduced in `stage`; zero if it has not.
    std::uint64_t reduced_by(int stage) { return reduced_ ? digest(told_at(stage)) : 0; }

    /// Notes what a vote says of `peer`'s weight. Throws `errc::bad_message` for one that cannot
    /// be, and `errc::mismatch` for another than before.
    void note(int peer, double weight)
    {
        const bool valid =
            contributes(roles_[index(peer)]) ? weight > 0 && weight < 0x1p53 : weight == 0;
        if (!valid)
            throw std::system_error(errc::bad_message, "a vote names an invalid weight for peer " +
                                                           std::to_string(peer) + ": " +
                                                           std::to_string(weight));
        double& known = weights_[index(peer)];
        if (known != 0 && known != weight)
            throw std::system_error(errc::mismatch, "it told two different weights");
        known = weight;
    }

    /// Compares the weights that votes named with the one by which `peer`'s contribution came.
    void check_block(int peer, int stage) const
    {
        const double told = told_[index(stage)][index(plan_.digit(peer, stage))];
        if (told != 0 && told != block_weight(peer, stage))
            throw std::system_error(errc::mismatch, "it told two different weights");
    }

    /// All votes of `stage` are in: returns a digest of the weights by which everybody must have
    /// reduced.
    std::uint64_t close(int stage)
    {
        auto& told = told_[index(stage)];
        for (int d = 0; d < plan_.radix(stage); ++d)
            told[index(d)] = block_weight(plan_.partner(me_, stage, d), stage);
        return digest(told);
    }

private:
    static std::size_t index(int i) noexcept { return static_cast<std::size_t>(i); }

    /// The weights of the contributions of `stage`; this peer's own is the sum of the stage before.
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

    /// A contribution weighs as much as its contributors, added up in the order of the stages.
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
    std::vector<double> weights_;            // by rank; zero: unknown, or contributes nothing
    std::vector<std::vector<double>> told_;  // of contributions, by stage and digit; zero: unknown
    bool reduced_ = false;
};

}  // namespace papilio::detail
