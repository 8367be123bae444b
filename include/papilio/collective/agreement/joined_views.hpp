#pragma once

#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_messages.hpp>
#include <papilio/wire/proposal.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A view that a peer has joined, and what it has settled on.
struct joined_view {
    wire::proposal settled;
    chunk_versions versions;
    std::uint64_t digest = 0;
};

/// The views that a peer has joined, from view 0 on, and the votes that have come in each.
class joined_views {
public:
    /// In view 0 everybody is a member, and makes all for the first time.
    joined_views(const call_shape& call, std::uint64_t digest)
    {
        wire::proposal all{.view = 0, .call = digest, .members = call.who.all()};
        all.complaints.resize(static_cast<std::size_t>(call.extent.peers));
        all.weights.assign(static_cast<std::size_t>(call.extent.peers), wire::unknown_weight);
        all.versions.push_back({0, call.who.contributors()});
        for (std::size_t part = 0; part < call.extent.parts; ++part)
            all.runs.push_back({{0, call.extent.columns, 0, -1, call.needed_by[part]}});
        views_.push_back({std::move(all), chunk_versions(call.extent, std::uint8_t{0}), digest});
    }

    void add(const call_shape& call, const wire::proposal& settled)
    {
        views_.push_back(
            {settled, chunk_versions(call.extent, settled.runs), checksum(wire::encode(settled))});
    }

    /// Whether the last view has settled on the same as another one in all that somebody still
    /// needs in both.
    bool repeats(std::uint8_t other) const
    {
        return last().versions.agrees_with(of(other).versions);
    }

    /// In parts that the last view leaves out, since no member needs them, another one holds.
    void complete_by(std::uint8_t other) { views_.back().versions.complete_by(of(other).versions); }

    const joined_view& last() const noexcept { return views_.back(); }
    const std::deque<joined_view>& all() const noexcept { return views_; }

    /// One that was joined.
    const joined_view& of(std::uint8_t view) const
    {
        return *std::ranges::find(views_, view, [](const auto& v) { return v.settled.view; });
    }

    /// Whether what is known of versions tells whom version `v` is made of.
    const rank_set* contributors(std::uint8_t v) const
    {
        for (const auto& view : views_)
            for (const auto& known : view.settled.versions)
                if (known.version == v) return &known.contributors;
        return nullptr;
    }

    void note(int from, const view_vote& vote)
    {
        votes_[vote.view].insert({from, vote.settlement});
    }

    /// Whether all members of a view have voted for it whose votes `asks_for(member)` waits for.
    template <class AsksFor>
    bool decided(const joined_view& view, const AsksFor& asks_for) const
    {
        const auto votes = votes_.find(view.settled.view);
        if (votes == votes_.end()) return false;
        return std::ranges::all_of(view.settled.members, [&](int member) {
            return !asks_for(member) || votes->second.contains({member, view.digest});
        });
    }

private:
    std::deque<joined_view> views_;
    std::map<std::uint8_t, std::set<std::pair<int, std::uint64_t>>> votes_;  // by view
};

}  // namespace papilio::detail
