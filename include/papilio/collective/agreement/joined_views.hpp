#pragma once

#include <papilio/base/checksum.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A view, and what it has settled on.
struct joined_view {
    joined_view(const call_shape& call, wire::proposal p)
        : settled(std::move(p)),
          versions(call.extent, settled.runs),
          digest(settled.view == 0 ? settled.call : checksum(wire::encode(settled)))
    {
    }

    /// In view 0 everybody is a member, and makes all for the first time.
    static joined_view first(const call_shape& call, std::uint64_t digest)
    {
        wire::proposal all;
        all.view = 0;
        all.call = digest;
        all.members = call.who.all();
        all.complaints.resize(static_cast<std::size_t>(call.extent.peers));
        all.weights.assign(static_cast<std::size_t>(call.extent.peers), wire::unknown_weight);
        all.versions.push_back({0, call.who.contributors()});
        for (std::size_t part = 0; part < call.extent.parts; ++part)
            all.runs.push_back(of_all(call, call.needed_by[part]));
        return {call, std::move(all)};
    }

    wire::proposal settled;
    chunk_versions versions;
    std::uint64_t digest;

private:
    static std::vector<wire::proposed_run> of_all(const call_shape& call, const rank_set& needed)
    {
        if (needed.empty()) return {};
        return {{0, call.extent.columns, 0, -1, needed}};
    }
};

/// The views that a peer has joined, from view 0 on, and the votes that have come in each.
class joined_views {
public:
    explicit joined_views(joined_view first) { views_.push_back(std::move(first)); }

    void add(joined_view next) { views_.push_back(std::move(next)); }

    const joined_view& last() const noexcept { return views_.back(); }
    const std::deque<joined_view>& all() const noexcept { return views_; }

    /// One that was joined.
    const joined_view& of(std::uint8_t view) const
    {
        return *std::ranges::find(views_, view, [](const auto& v) { return v.settled.view; });
    }

    /// Whom version `v` is made of; null if no view that was joined has told.
    const rank_set* contributors(std::uint8_t v) const
    {
        for (const auto& view : views_)
            for (const auto& known : view.settled.versions)
                if (known.version == v) return &known.contributors;
        return nullptr;
    }

    /// A peer's first vote in a view counts.
    void note(int from, const wire::view_vote& vote)
    {
        if (vote.view <= wire::max_view) votes_[vote.view].emplace(from, vote);
    }

    /// What results those hold who have voted for what a view has settled on.
    result_digests results(const joined_view& view) const
    {
        result_digests all;
        for (const int member : view.settled.members)
            if (const auto* vote = vote_of(member, view)) all.note(member, 1, vote->result);
        return all;
    }

    /// Whether all members of a view have voted for it whose votes `asks_for(member)` waits for.
    template <class AsksFor>
    bool decided(const joined_view& view, const AsksFor& asks_for) const
    {
        const auto& members = view.settled.members;
        return std::all_of(members.begin(), members.end(), [&](int member) {
            return !asks_for(member) || has_voted(member, view);
        });
    }

    /// Whether a peer has voted for what a view has settled on.
    bool has_voted(int member, const joined_view& view) const
    {
        return vote_of(member, view) != nullptr;
    }

private:
    /// A member's vote for what a view has settled on, or null.
    const wire::view_vote* vote_of(int member, const joined_view& view) const
    {
        const auto in_view = votes_.find(view.settled.view);
        if (in_view == votes_.end()) return nullptr;
        const auto vote = in_view->second.find(member);
        const bool found = vote != in_view->second.end() && vote->second.settlement == view.digest;
        return found ? &vote->second : nullptr;
    }

    std::deque<joined_view> views_;
    std::map<std::uint8_t, std::map<int, wire::view_vote>> votes_;  // by view and voter
};

}  // namespace papilio::detail
