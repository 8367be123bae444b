#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/voters.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// By rank what each peer has promised a view, or null.
using promises_by_rank = std::vector<const wire::promise*>;

/// Makes the settlement of a view from the promises of its members alone.
///
/// Where a member has voted that counts towards a majority, what the latest such vote was about may
/// be decided: it stays as it is, in the chunks that its author is to have. Of other chunks, of
/// which no such vote tells, the latest version counts that a member holds, and one that nobody
/// holds is reduced anew. In a call that gathers, a part is left out of which nobody holds all, or
/// that such a vote is not about.
class settling {
public:
    settling(const call_shape& call, std::uint8_t view, const rank_set& members,
             const promises_by_rank& promises)
        : call_(call), promises_(promises)
    {
        made_.view = view;
        made_.members = members;
        made_.weights.assign(index(call.extent.peers), wire::unknown_weight);
        made_.complaints.resize(index(call.extent.peers));
        for (int peer = 0; peer < call.extent.peers; ++peer)
            if (const auto* said = promises[index(peer)])
                made_.complaints[index(peer)] = said->complaints;
        for (const int member : members) read(member, *promises[index(member)]);
        const auto& contributors = call.who.contributors();
        for (const int member : members)
            if (contributors.contains(member) && made_.weights[index(member)] != 0)
                contributors_[view].insert(member);
        contributors_[view];
    }

    /// The proposal; its `call` is left to the caller.
    wire::proposal take() &&
    {
        if (call_.uniform && made_.adopted == 0 && first_is_not_decided_)
            made_.adopted = wire::no_view;
        const int only = call_.uniform && made_.adopted == wire::no_view ? held_by_all() : any;
        made_.runs.resize(call_.extent.parts);
        for (std::size_t part = 0; part < call_.extent.parts; ++part) settle(part, only);
        for (const auto& [version, from] : contributors_)
            if (used_[version]) made_.versions.push_back({version, from});
        return std::move(made_);
    }

private:
    static constexpr int any = -1;

    /// The best way to a chunk that was found so far.
    struct choice {
        std::uint8_t version = wire::no_view;
        int source = -1;
    };

    void read(int member, const wire::promise& said)
    {
        const bool counts = call_.who.counted().contains(member);
        if (counts && said.voted == wire::no_view) first_is_not_decided_ = true;
        if (counts && said.voted != wire::no_view &&
            (made_.adopted == wire::no_view || said.voted > made_.adopted))
            made_.adopted = said.voted;
        for (int peer = 0; peer < call_.extent.peers; ++peer)
            if (const double weight = said.weights[index(peer)]; weight != wire::unknown_weight)
                made_.weights[index(peer)] = weight;
        for (const auto& v : said.versions) contributors_[v.version] = v.contributors;
    }

    /// Whether the report can say what a version is made of.
    bool can_be_told(std::uint8_t version) const
    {
        const auto& from = contributors_.at(version);
        return std::none_of(from.begin(), from.end(), [&](int peer) {
            return made_.weights[index(peer)] == wire::unknown_weight;
        });
    }

    void settle(std::size_t part, int only)
    {
        const auto needed = call_.needed_by[part] & made_.members;
        if (needed.empty()) return;  // nobody is left who wants it
        std::vector<choice> best(call_.extent.columns);
        const bool adopts = made_.adopted != wire::no_view;
        if (adopts) choose(part, best, true, any);
        if (!adopts || !call_.gathers) choose(part, best, false, only);
        if (call_.gathers && !complete(best)) return;  // nobody is left who has it
        std::vector<rank_set> lacking(call_.extent.columns, needed);
        for (const int member : made_.members)
            for (const auto& run : promises_[index(member)]->held[part])
                for (auto c = run.first; c < run.first + run.columns; ++c) {
                    if (run.version != best[c].version) continue;
                    best[c].source = better_source(best[c].source, member);
                    lacking[c].erase(member);
                }
        for (std::uint32_t c = 0; c < call_.extent.columns; ++c) {
            if (!reaches(best[c].source, lacking[c])) best[c] = {}, lacking[c] = needed;
            add(part, c, best[c], lacking[c]);
        }
    }

    /// A reducer, which meets everybody, and of these the one of the lowest rank.
    int better_source(int a, int b) const
    {
        const auto& reducers = call_.who.reducers();
        if (reducers.contains(a) != reducers.contains(b)) return reducers.contains(a) ? a : b;
        return std::min(a, b);
    }

    /// Whether `source` meets all who lack a chunk. What may be decided stays as it is.
    bool reaches(int source, const rank_set& lacking) const
    {
        return source < 0 || made_.adopted != wire::no_view ||
               std::all_of(lacking.begin(), lacking.end(),
                           [&](int peer) { return call_.who.meet(source, peer); });
    }

    /// Whether a chunk of a part that a member holds is what its vote was about.
    bool has_voted_for(int member, std::size_t part) const
    {
        return promises_[index(member)]->voted == made_.adopted &&
               call_.needed_by[part].contains(member);
    }

    /// Takes what members hold for chunks that nothing was chosen for before: what the latest vote
    /// was about, whatever that is made of, or the latest that anybody holds; of version `only`, if
    /// it is one.
    void choose(std::size_t part, std::vector<choice>& best, bool voted, int only) const
    {
        std::vector<choice> found(best.size());
        for (const int member : made_.members) {
            const auto& said = *promises_[index(member)];
            if (voted && !has_voted_for(member, part)) continue;
            for (const auto& run : said.held[part]) {
                if (!voted && !can_be_told(run.version)) continue;
                if (only != any && run.version != only) continue;
                for (auto c = run.first; c < run.first + run.columns; ++c)
                    if (found[c].source < 0 || run.version > found[c].version)
                        found[c] = {run.version, member};
            }
        }
        for (std::size_t c = 0; c < best.size(); ++c)
            if (best[c].source < 0) best[c] = found[c];
    }

    /// The latest version in which members hold every chunk that one of them needs, or else the
    /// view itself, in which all are made anew.
    int held_by_all() const
    {
        for (int version = made_.view - 1; version >= 0; --version) {
            if (!contributors_.contains(static_cast<std::uint8_t>(version))) continue;
            bool all = true;
            for (std::size_t part = 0; all && part < call_.extent.parts; ++part) {
                if (!call_.needed_by[part].intersects(made_.members)) continue;
                std::vector<choice> best(call_.extent.columns);
                choose(part, best, false, version);
                all = complete(best);
            }
            if (all) return version;
        }
        return made_.view;
    }

    static bool complete(const std::vector<choice>& part)
    {
        return std::ranges::none_of(part, [](const choice& c) { return c.source < 0; });
    }

    void add(std::size_t part, std::uint32_t column, choice best, const rank_set& lacking)
    {
        if (best.source < 0) best.version = made_.view;
        used_[best.version] = true;
        auto& runs = made_.runs[part];
        const bool longer = !runs.empty() && runs.back().version == best.version &&
                            runs.back().source == best.source && runs.back().lacking == lacking;
        if (longer)
            ++runs.back().columns;
        else
            runs.push_back({column, 1, best.version, best.source, lacking});
    }

    const call_shape& call_;
    const promises_by_rank& promises_;
    wire::proposal made_;
    std::map<std::uint8_t, rank_set> contributors_;  // by version
    std::map<std::uint8_t, bool> used_;

    // Somebody has promised a later view without a vote in view 0, where all have to vote. What was
    // voted for there then need not stay: of a uniform result it could be a part that nobody can
    // complete.
    bool first_is_not_decided_ = false;
};

/// Whether the report could not name a weight.
inline bool has_unknown_weight(const wire::proposal& p)
{
    return std::ranges::any_of(p.versions, [&](const wire::version_contributors& v) {
        return std::any_of(v.contributors.begin(), v.contributors.end(), [&](int peer) {
            return p.weights[index(peer)] == wire::unknown_weight;
        });
    });
}

/// A peer of which two promises tell different weights, or -1.
inline int two_weights(const promises_by_rank& promises)
{
    for (int peer = 0; peer < static_cast<int>(promises.size()); ++peer) {
        double known = wire::unknown_weight;
        for (const auto* said : promises) {
            const double told = said ? said->weights[index(peer)] : wire::unknown_weight;
            if (told == wire::unknown_weight) continue;
            if (known != wire::unknown_weight && told != known) return peer;
            known = told;
        }
    }
    return -1;
}

/// Whether something is left to be reduced, but nobody to contribute to it.
inline bool has_no_contributor(const wire::proposal& p)
{
    return std::ranges::any_of(p.versions, [&](const wire::version_contributors& v) {
        return v.version == p.view && v.contributors.empty();
    });
}

/// Who reduces a chunk that a view makes anew: the part's owner if it is a member, else the
/// reducers among the members in turn.
inline int writer(const voters& who, const wire::proposal& p, std::size_t part,
                  std::uint32_t column)
{
    const auto owner = static_cast<int>(part);
    const auto reducers = who.reducers() & p.members;
    if (reducers.contains(owner)) return owner;
    auto at = reducers.begin();
    for (auto skip = column % static_cast<std::uint32_t>(reducers.size()); skip > 0; --skip) ++at;
    return *at;
}

}  // namespace papilio::detail
