#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Who votes in a call, who of them exchange messages, and who may form a view.
class voters {
public:
    /// By rank, what each peer does. `holders` are to hold the whole result; where nobody is, as in
    /// a reduce_scatter, all who vote count. A view has `least` of them or more, and more than half
    /// in any case.
    explicit voters(std::span<const role> roles, rank_set holders, int least = 0)
        : roles_(roles.begin(), roles.end())
    {
        for (int peer = 0; peer < peers(); ++peer) {
            if (!votes(of(peer))) continue;
            all_.insert(peer);
            if (papilio::reduces(of(peer))) reducers_.insert(peer);
            if (papilio::contributes(of(peer))) contributors_.insert(peer);
        }
        counted_ = std::move(holders) & all_;
        if (counted_.empty()) counted_ = all_;
        majority_ = std::max(counted_.size() / 2 + 1, least);
    }

    int peers() const noexcept { return static_cast<int>(roles_.size()); }
    const rank_set& all() const noexcept { return all_; }
    const rank_set& reducers() const noexcept { return reducers_; }
    const rank_set& contributors() const noexcept { return contributors_; }

    /// Two clients may be out of each other's reach.
    bool meet(int a, int b) const
    {
        return a != b && all_.contains(a) && all_.contains(b) &&
               (reducers_.contains(a) || reducers_.contains(b));
    }

    /// There are clients that do not hear each other.
    bool relayed() const { return all_.size() - reducers_.size() > 1; }

    /// Whether these voters may be the members of a view. Of two such sets somebody is in both who
    /// is to hold the whole result.
    bool may_be_members(const rank_set& members) const
    {
        return (members & counted_).size() >= majority_ && members.intersects(reducers_);
    }

    /// Nobody can be missed, for instance of two peers: there is no view to go on to.
    bool need_all() const { return majority_ >= all_.size(); }

    /// Those of whom more than half form a view.
    const rank_set& counted() const noexcept { return counted_; }

    /// Who proposes the settlement of a view beyond 0: the reducers in turn.
    int coordinator(int view) const
    {
        auto at = reducers_.begin();
        for (int skip = (view - 1) % reducers_.size(); skip > 0; --skip) ++at;
        return *at;
    }

private:
    role of(int peer) const { return roles_[index(peer)]; }

    std::vector<role> roles_;
    rank_set all_;
    rank_set reducers_;
    rank_set contributors_;
    rank_set counted_;  // in a majority
    int majority_ = 0;
};

}  // namespace papilio::detail
