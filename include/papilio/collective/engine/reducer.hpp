#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/agreement/call_status.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/engine/chunk_reducer.hpp>
#include <papilio/collective/engine/slot_gate.hpp>
#include <papilio/collective/engine/stage_progress.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Receives the contributions to the parts that this peer owns, has them reduced, and sends the
/// results.
class reducer {
public:
    reducer(stage_progress& progress, peer_io& io, contribution_weights& weights,
            result_digests& results, call_status& status, thread_pool* pool)
        : progress_(progress),
          plan_(progress.plan()),
          io_(io),
          weights_(weights),
          status_(status),
          chunks_(progress, io, weights, results, pool)
    {
    }
    reducer(const reducer&) = delete;
    reducer& operator=(const reducer&) = delete;

    /// Adds to `work` the slots that serve the partners of stage k.
    void serve_all(int k, slot_gate& open, std::vector<task<>>& work)
    {
        for (const int peer : progress_.partners(k)) {
            auto& next = next_chunks_.emplace_back(0);
            for (std::size_t slot = 0; slot < slots(k); ++slot)
                if (votes(io_.of(peer)) && plan_.receives(peer))
                    work.push_back(
                        io_.blaming(peer, phase::contribution, serve(k, peer, slot, next, open)));
        }
    }

    /// Sends this peer's part to an observer. One that fails is left unserved.
    task<> serve_observer(int peer, slot_gate& open)
    {
        std::vector<task<>> all;
        std::size_t next = 0;
        for (std::size_t slot = 0; slot < slots(0); ++slot)
            all.push_back(serve(0, peer, slot, next, open));
        try {
            co_await when_all(std::move(all));
            status_.served(peer);
        } catch (const std::system_error&) {
            // It stays on the list of unserved observers.
        }
    }

    /// Starts the chunks that wait for no peer: own parts that are gathered, and chunks to which
    /// no other peer contributes.
    task<> begin()
    {
        for (int k = 0; k < progress_.stages(); ++k)
            for (std::size_t c = 0; c < progress_.at(k).chunks.size(); ++c) {
                if (!progress_.reduces()) {
                    if (!progress_.last(k)) continue;
                    co_await chunks_.gather_own(c);
                } else if (progress_.at(k).others == 0) {
                    if (!progress_.at(k).own) progress_.at(k, c).reduced.open();
                    if (!progress_.at(k).own || k > 0) continue;
                    co_await chunks_.reduce_onwards(k, c);
                }
            }
    }

    /// Notes when this peer's part is complete.
    task<> watch_part()
    {
        auto& mine = progress_.at(progress_.stages() - 1).chunks;
        for (auto& c : mine) {
            if (progress_.reduces())
                co_await c.reduced.opened();
            else
                co_await c.ready.opened();
        }
        if (progress_.reduces() && !mine.empty()) weights_.set_reduced();
        const auto end = co_await now();
        status_.part_reduced(end);
    }

private:
    std::size_t slots(int k) { return std::min(progress_.at(k).chunks.size(), plan_.slots); }

    /// One pipeline slot that serves `peer`: receives its contribution to a chunk, sends the
    /// result, and goes on with the `next` chunk that no other slot has taken.
    task<> serve(int k, int peer, std::size_t slot, std::size_t& next, slot_gate& open)
    {
        const bool used = co_await open.uses(slot);
        if (!used) co_return;
        const bool reduces = progress_.reduces();
        const auto& messages = progress_.messages();
        auto& space = buffers_.emplace_back(
            reduces ? messages.max_contribution(k, progress_.at(k).parts) : 0);
        const auto into = space.get();
        auto& lent = lent_.emplace_back();
        while (next < plan_.columns) {
            const auto c = next++;
            if (reduces || c >= plan_.slots) {
                io_.expect(peer, message_kind::contribution);
                const auto t = io_.tag_for(message_kind::contribution, c);
                const auto size = co_await io_.recv(peer, t, into, lent);
                // Until chunk c is reduced the bytes stay in the slot's buffer, or with the sender.
                const auto message = lent ? borrow(k, c, lent, into) : bytes(into.first(size));
                bool intact = message.size() == size;
                if (intact && reduces && c > 0) {
                    co_await progress_.at(k).described.opened();
                }
                if (intact && reduces && chunks_.note(k, peer, c, message)) {
                    co_await chunks_.reduce_onwards(k, c);
                } else if (intact && reduces) {
                    co_await progress_.at(k, c).reduced.opened();
                }
                intact = intact && (!lent || lent->intact());
                lent.reset();
                if (!intact) {
                    co_await taken_back(peer);
                }
                io_.reduced(peer);
            }
            if (next >= plan_.columns) space = pooled_buffer();
            if (progress_.gathers()) {
                co_await progress_.at(k, c).ready.opened();
            }
            if (progress_.gathers() || !progress_.needs_no_credit(c)) {
                const auto message = progress_.results(k, c);
                co_await io_.send(peer, io_.tag_for(message_kind::result, c), message);
                progress_.served(k, c);
            }
            io_.answered(peer);
        }
    }

    /// A contribution that is lent: where it lies, if only elements are read there, which may have
    /// any value. Else it is copied, since its sender may change what has been checked, and so it
    /// is if the chunk may outlive its sender in the call; nothing if it was taken back meanwhile.
    bytes borrow(int k, std::size_t c, lent_ptr& lent, mutable_bytes into) const
    {
        const auto& messages = progress_.messages();
        const auto there = lent->get();
        const auto at = reinterpret_cast<std::uintptr_t>(there.data());
        const bool aligned = at % messages.data().kind().element_size == 0;
        const bool in_place = messages.verbatim() && progress_.last(k) && c > 0 && aligned;
        if (in_place && !progress_.keeps_chunks()) return there;
        std::copy(there.begin(), there.end(), into.begin());
        const bool intact = lent->intact();
        lent.reset();
        return into.first(intact ? there.size() : 0);
    }

    /// A peer that takes its contribution back has failed, and says why by its vote. Until then it
    /// owes the contribution.
    task<> taken_back(int peer)
    {
        io_.expect(peer, message_kind::contribution);
        co_await never_.opened();
    }

    stage_progress& progress_;
    const call_plan& plan_;
    peer_io& io_;
    contribution_weights& weights_;
    call_status& status_;
    gate never_;
    chunk_reducer chunks_;
    std::deque<std::size_t> next_chunks_;  // by partner and stage

    // Of all slots; not in their frames, since a worker may still read them when those are dropped.
    std::deque<pooled_buffer> buffers_;
    std::deque<lent_ptr> lent_;
};

}  // namespace papilio::detail
