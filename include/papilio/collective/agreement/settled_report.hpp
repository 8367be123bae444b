#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What the report of a call says that has ended as it was settled.
class settled_report {
public:
    /// `weights` are those of all peers, by rank, as far as they are known. The rest is borrowed.
    settled_report(const wire::proposal& decided, std::vector<double> weights,
                   const call_plan& plan, const call_shape& call)
        : decided_(decided), weights_(std::move(weights)), plan_(plan), call_(call)
    {
    }

    /// Those of view 0 are in votes, which may not have come.
    bool knows_weights() const
    {
        return std::ranges::none_of(decided_.versions, [&](const auto& v) {
            return std::any_of(v.contributors.begin(), v.contributors.end(), [&](int peer) {
                return weights_[index(peer)] == wire::unknown_weight;
            });
        });
    }

    /// The view and what the result is made of, which has elements or none.
    void tell(report& to, bool has_elements) const
    {
        to.view = decided_.view;
        to.made_of.clear();
        if (!has_elements)
            to.made_of.push_back({{}, those_of(decided_.members & call_.who.contributors())});
        for (std::size_t p = 0; p < decided_.runs.size(); ++p)
            for (const auto& run : decided_.runs[p]) add(to, p, run);
    }

private:
    void add(report& to, std::size_t owner, const wire::proposed_run& run) const
    {
        const auto first = plan_.chunk(static_cast<int>(owner), run.first);
        const auto last = plan_.chunk(static_cast<int>(owner), run.first + run.columns - 1);
        const part range{first.begin, last.end() - first.begin};
        if (range.size == 0) return;
        if (run.version > 0) to.made_again += range.size;
        auto from = contributors(run.version);
        auto& made = to.made_of;
        if (!made.empty() && made.back().from == from && made.back().range.end() == range.begin)
            made.back().range.size += range.size;
        else
            made.push_back({range, std::move(from)});
    }

    /// Whose elements are in a version, and what they weigh.
    std::vector<contributor> contributors(std::uint8_t version) const
    {
        for (const auto& v : decided_.versions)
            if (v.version == version) return those_of(v.contributors);
        return {};
    }

    std::vector<contributor> those_of(const rank_set& peers) const
    {
        std::vector<contributor> found;
        for (const int peer : peers)
            if (const double weight = weights_[index(peer)]; weight > 0)
                found.push_back({peer, weight});
        return found;
    }

    const wire::proposal& decided_;
    std::vector<double> weights_;
    const call_plan& plan_;
    const call_shape& call_;
};

}  // namespace papilio::detail
