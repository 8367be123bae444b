#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/collective/detail/ballot.hpp>
#include <papilio/collective/detail/packing.hpp>
#include <papilio/collective/detail/plan.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace papilio::detail {

/// One column of what is a peer's business after a stage: the versions of it that are to be folded,
/// and then the results that those whom the peer meets in that stage are to have.
struct column {
    std::vector<std::vector<bytes>> versions;  // as they came, by digit and part
    std::size_t awaited = 0;                   // versions that have not come yet
    gate reduced;

    std::vector<std::vector<std::byte>> results;  // by the next stage's digit, as they came
    std::size_t unfinished = 0;                   // of them, that have not come yet
    gate ready;

    std::vector<std::byte> message;  // what all are sent of the results
    std::size_t unserved = 0;        // who has still to be sent it
};

/// What is a peer's business after a stage.
struct business {
    business(const call_plan& plan, const ballot& votes, int me, int k)
        : parts(plan.parts_of(me, k)), own(votes.contributes_block(me, k))
    {
        const auto& s = plan.stages;
        for (int d = 0; d < s.radix(k); ++d) {
            const int peer = s.partner(me, k, d);
            if (peer != me && votes.contributes_block(peer, k)) ++others;
        }
        undescribed = others;
        if (undescribed == 0) described.open();
        columns.resize(parts.empty() ? 0 : plan.columns);
        for (auto& c : columns) {
            // My own version comes from the stage before, when that has folded it.
            c.awaited = others + (own && k > 0 ? 1 : 0);
            c.results.resize(k + 1 < s.stages() ? static_cast<std::size_t>(s.radix(k + 1)) : 1);
            c.unfinished = k + 1 < s.stages() ? owners_in_next(plan, me, k) : 1;
            c.unserved = static_cast<std::size_t>(s.radix(k)) - 1;
        }
    }

    std::vector<int> parts;  // in the order of messages; without elements, they are left out
    std::deque<column> columns;
    std::size_t others = 0;       // versions that come from others
    bool own = false;             // and mine has something in it
    std::size_t undescribed = 0;  // first messages that have not come yet
    gate described;               // all have: the weights are known

private:
    /// How many digits of the next stage have a part in this.
    static std::size_t owners_in_next(const call_plan& plan, int me, int k)
    {
        std::size_t owners = 0;
        for (int d = 0; d < plan.stages.radix(k + 1); ++d)
            if (!plan.parts_of(plan.stages.partner(me, k + 1, d), k + 1).empty()) ++owners;
        return owners;
    }
};

/// Messages one after the other.
inline std::vector<std::byte> joined(std::vector<std::vector<std::byte>> messages)
{
    if (messages.size() == 1) return std::move(messages.front());
    std::vector<std::byte> all;
    for (const auto& one : messages) all.insert(all.end(), one.begin(), one.end());
    return all;
}

/// A message about a single part, as it stands in one about several.
inline std::vector<std::byte> behind_its_length(bytes message)
{
    std::vector<std::byte> run(run_size(message.size()));
    std::ranges::copy(message, run.begin() + length_size);
    close_run(run, message.size());
    return run;
}

}  // namespace papilio::detail
