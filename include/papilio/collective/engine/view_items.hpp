#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A chunk that a member of a view lacks.
struct view_item {
    std::size_t number = 0;  ///< in the order of the proposal: the index of its messages' tags
    std::size_t owner = 0;   ///< whose part it is of
    std::uint32_t column = 0;
    std::uint8_t version = 0;
    part where{};
    bool anew = false;  ///< its giver reduces it, and may be a taker
    int giver = -1;
    rank_set takers{};  ///< who lacks it, of those who are to have it
};

/// Items in ascending order, which slots take in turn.
class item_queue {
public:
    void add(const view_item& item) { items_.push_back(item); }

    std::size_t size() const noexcept { return items_.size(); }

    /// The first that no slot has taken yet, or null.
    const view_item* take() noexcept
    {
        return taken_ < items_.size() ? &items_[taken_++] : nullptr;
    }

private:
    std::vector<view_item> items_;
    std::size_t taken_ = 0;
};

/// What one member of a view has to do with the chunks that somebody lacks. Pure; every member
/// finds the same items, and the same numbers of them, from the same settlement.
class view_items {
public:
    /// Of member `me`.
    view_items(const call_plan& plan, const call_shape& call, const wire::proposal& settled, int me)
        : me_(me), kept_for_(settled.weights.size()), coming_from_(settled.weights.size())
    {
        for (const auto& v : settled.versions)
            if (v.version == settled.view)
                contributors_ = v.contributors & call.who.contributors() & settled.members;
        std::size_t number = 0;
        for (std::size_t owner = 0; owner < settled.runs.size(); ++owner)
            for (const auto& run : settled.runs[owner]) {
                view_item item{.owner = owner, .version = run.version, .anew = run.source < 0};
                item.takers = run.lacking & call.needed_by[owner];
                for (auto c = run.first; c < run.first + run.columns; ++c) {
                    if (item.takers.empty()) break;
                    PAPILIO_CHECK(number <= max_call_index, "a view has more items than numbers");
                    item.number = number++;
                    item.column = c;
                    item.where = plan.chunk(static_cast<int>(owner), c);
                    item.giver = item.anew ? writer(call.who, settled, owner, c) : run.source;
                    add(item);
                }
            }
    }

    /// Whose elements are in what is made anew.
    const rank_set& contributors() const noexcept { return contributors_; }

    /// Chunks without elements, of which no messages are sent, that this peer lacks.
    const std::vector<view_item>& without_elements() const noexcept { return without_elements_; }

    /// What this peer makes anew.
    item_queue& made_here() noexcept { return made_here_; }

    /// What this peer has that `peer` lacks.
    item_queue& kept_for(int peer) { return kept_for_[index(peer)]; }

    /// What `giver` has, or makes anew, and this peer lacks or contributes to.
    item_queue& coming_from(int giver) { return coming_from_[index(giver)]; }

private:
    void add(const view_item& item)
    {
        const bool takes = item.takers.contains(me_);
        const bool contributes = item.anew && contributors_.contains(me_);
        if (item.where.size == 0) {
            if (takes) without_elements_.push_back(item);
        } else if (item.giver != me_) {
            if (takes || contributes) coming_from_[index(item.giver)].add(item);
        } else if (item.anew) {
            made_here_.add(item);
        } else {
            for (const int peer : item.takers) kept_for_[index(peer)].add(item);
        }
    }

    int me_;
    rank_set contributors_;
    std::vector<view_item> without_elements_;
    item_queue made_here_;
    std::vector<item_queue> kept_for_;     // by rank
    std::vector<item_queue> coming_from_;  // by rank
};

}  // namespace papilio::detail
