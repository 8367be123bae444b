#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/call_shape.hpp>
#include <papilio/collective/agreement/chunk_versions.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/chunk_messages.hpp>
#include <papilio/collective/engine/observer_transfer.hpp>
#include <papilio/collective/engine/view_transfer.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/chunk_request.hpp>
#include <papilio/wire/proposal.hpp>

#include <cstdint>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Moves the data of later views, whose members hold some chunks already: those go, as elements,
/// from one who has them to those who lack them. The others are made anew, in a single stage
/// whatever the stages of view 0: their contributors send the writer their original elements, and
/// it sends the result, as an owner does in view 0. There are no descriptors.
///
/// Whatever somebody lacks is an item. Items move in slots, which take one after another in
/// ascending order: of those that a peer makes `slots` at a time, as many of those that it has for
/// each other member, and as many of those that come to it from each. For so many items a peer
/// keeps contributions, or a result. What is sent before its receiver expects it is kept by the
/// transport, or waits with its sender.
///
/// No deadlock: consider the first item that is not everywhere. Whatever comes before it is done at
/// both ends, so that everybody who has to do with this item has a slot that takes it. The giver
/// has the item, or waits for nothing but contributions to it; who contributes waits for nothing;
/// and who lacks it for the result alone. Where a send waits for its receive, that is posted by
/// then.
class view_engine final : public view_mover {
public:
    /// All are borrowed; `pool` may be null.
    view_engine(peer_io& io, const call_plan& plan, const call_data& data, thread_pool* pool)
        : parts_{io, plan, data, pool}, observers_(io, plan, data)
    {
    }

    task<> make_own(chunk_versions& held) override
    {
        const int me = parts_.io.me();
        const chunk_messages messages(parts_.plan, parts_.data, me);
        if (parts_.plan.part_size(me) == 0) co_return;
        for (std::uint32_t c = 0; c < parts_.plan.columns; ++c) {
            if (held.at(index(me), c) == 0) continue;
            auto work = [&] { messages.encode_own(c); };
            co_await offload(parts_.pool, work);
            held.set(index(me), c, 0);
        }
    }

    task<> serve(int observer) override { return observers_.serve(observer); }

    task<> fetch(int giver, fetched_stream& so_far, const wire::chunk_request& wanted,
                 const chunk_versions& versions, chunk_versions& held) override
    {
        return observers_.fetch(giver, so_far, wanted, versions, held);
    }

    void thank(int giver, const fetched_stream& so_far) override
    {
        observers_.thank(giver, so_far);
    }

    std::uint64_t digest_of(const chunk_versions& of) const override
    {
        const auto& plan = parts_.plan;
        std::uint64_t all = 0;
        for (int part = 0; part < static_cast<int>(plan.parts.size()); ++part)
            for (std::uint32_t c = 0; c < plan.columns; ++c) {
                const auto where = plan.chunk(part, c);
                if (of.at(index(part), c) == wire::no_view || where.size == 0) continue;
                if (!parts_.data.has_output(where)) return 0;
                all += chunk_digest(where, parts_.data.output(where));
            }
        return all;
    }

    task<> move(const call_shape& call, const wire::proposal& settled,
                chunk_keeper& keeper) override
    {
        view_transfer transfer(parts_, call, settled, keeper);
        auto slots = transfer.all_slots();
        co_await when_all(std::move(slots));
    }

private:
    view_parts parts_;
    observer_transfer observers_;
};

}  // namespace papilio::detail
