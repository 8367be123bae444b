#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/contribution_weights.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/engine/slot_gate.hpp>
#include <papilio/collective/engine/stage_progress.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Sends this peer's contributions to the owners of other parts, and receives the reduced parts.
class contribution_sender {
public:
    contribution_sender(stage_progress& progress, peer_io& io, contribution_weights& weights,
                        result_digests& results, thread_pool* pool)
        : progress_(progress),
          plan_(progress.plan()),
          io_(io),
          weights_(weights),
          results_(results),
          pool_(pool)
    {
    }
    contribution_sender(const contribution_sender&) = delete;
    contribution_sender& operator=(const contribution_sender&) = delete;

    /// Adds to `work` the slots that send to the owners of stage k, slot by slot, so that early
    /// chunks go out to all owners first.
    void contribute_all(int k, slot_gate& open, std::vector<task<>>& work)
    {
        auto owners = progress_.partners(k);
        if (!plan_.receives(io_.me())) owners.clear();
        std::erase_if(owners, [&](int peer) { return plan_.parts_of(peer, k).empty(); });
        const auto first = sent_.size();
        sent_.resize(first + owners.size());
        for (std::size_t slot = 0; slot < plan_.slots; ++slot)
            for (std::size_t i = 0; i < owners.size(); ++i)
                work.push_back(io_.blaming(owners[i], phase::result,
                                           contribute(k, owners[i], slot, sent_[first + i], open)));
    }

    /// Whether this peer awaits results of any owner.
    bool has_owners() const noexcept { return !sent_.empty(); }

private:
    /// What precedes the first of this peer's contributions.
    struct introduction {
        wire::descriptor call;
        std::vector<double> weights;
    };

    /// The chunks of one owner that slots have taken, and how many of them have no answer.
    struct chunk_count {
        std::size_t taken = 0;
        std::size_t unanswered = 0;
    };

    /// One pipeline slot that sends to an owner: its contribution to a chunk, then the result back,
    /// then the next chunk that no other slot has taken. Where the last chunks need no answer it
    /// leaves them to slots that have had one, lest more than `slots` be under way.
    task<> contribute(int k, int owner, std::size_t slot, chunk_count& sent, slot_gate& open)
    {
        const bool used = co_await open.uses(slot);
        if (!used) co_return;
        const auto parts = plan_.parts_of(owner, k);
        const auto& messages = progress_.messages();
        const auto max_contribution = messages.max_contribution(k, parts);
        const auto max_results = messages.max_results(parts);
        pooled_buffer space;
        while (sent.taken < plan_.columns && sent.unanswered < plan_.slots) {
            const auto c = sent.taken++;
            ++sent.unanswered;
            if (progress_.reduces() && k > 0) {
                co_await progress_.at(k - 1, c).reduced.opened();
            }
            if (progress_.reduces()) {
                const bool mine = weights_.has_elements(io_.me(), k);
                std::optional<introduction> call;
                if (c == 0) call = {weights_.descriptor(k), weights_.behind_descriptor(k)};
                bytes message;
                auto prepare = [&] {
                    message = encode(k, parts, c, mine, call, max_contribution, space);
                };
                if (messages.verbatim()) {
                    prepare();
                } else {
                    // Not by a worker: each thread has a pool, and buffers return to this one's.
                    space.resize(max_contribution);
                    co_await offload(pool_, prepare);
                }
                co_await io_.send(owner, io_.tag_for(message_kind::contribution, c), message);
            } else if (c >= plan_.slots) {
                co_await io_.send(owner, io_.tag_for(message_kind::contribution, c), bytes{});
            }
            if (progress_.gathers() || !progress_.needs_no_credit(c)) {
                io_.expect(owner, message_kind::result);
                const auto into = destination_of_result(k, parts, c, max_results, space);
                const auto size =
                    co_await io_.recv(owner, io_.tag_for(message_kind::result, c), into);
                --sent.unanswered;
                const auto result = checked(k, c, into, size);
                std::uint64_t digest = 0;
                auto read = [&] {
                    digest = progress_.digest(k, c, parts, result);
                    if (!lands_in_output(k, c)) messages.read_results(k, c, parts, result);
                };
                if (progress_.gathers()) {
                    if (lands_in_output(k, c)) {
                        read();
                    } else {
                        co_await offload(pool_, read);
                    }
                    results_.add(digest);
                }
                if (progress_.gathers()) progress_.hold(parts, c);
                if (progress_.gathers() && k > 0) pass_on(k, owner, c, result);
            }
            open.answered();  // where no answer is owed, too: other slots wait for this one
        }
    }

    /// This peer's contribution to chunk c of `parts`, behind what introduces the `call` if it is
    /// the first; without elements that are `mine`, no more than a request for the result.
    bytes encode(int k, const std::vector<int>& parts, std::size_t c, bool mine,
                 const std::optional<introduction>& call, std::size_t max_size,
                 pooled_buffer& space) const
    {
        const auto& messages = progress_.messages();
        if (messages.verbatim() && c > 0 && progress_.last(k) && mine)
            return messages.elements(k, plan_.chunk(parts.front(), c));
        const auto to = space.resize(max_size);
        const auto before = call ? introduce(*call, to) : 0;
        if (!mine) return to.first(before);
        return to.first(before + messages.write_contribution(k, c, parts, to.subspan(before)));
    }

    static std::size_t introduce(const introduction& call, mutable_bytes to)
    {
        std::ranges::copy(wire::encode(call.call), to.begin());
        wire::store_weights(call.weights, to.subspan(wire::descriptor::encoded_size));
        return wire::descriptor::encoded_size + call.weights.size() * sizeof(double);
    }

    /// Whether the result of chunk c is received where it belongs, and needs no decoding.
    bool lands_in_output(int k, std::size_t c) const
    {
        return progress_.messages().verbatim() && progress_.last(k) &&
               !progress_.described_by_result(c);
    }

    mutable_bytes destination_of_result(int k, const std::vector<int>& parts, std::size_t c,
                                        std::size_t max_size, pooled_buffer& space) const
    {
        const auto& messages = progress_.messages();
        if (!progress_.gathers()) return {};
        if (lands_in_output(k, c)) return messages.data().overwrite(plan_.chunk(parts.front(), c));
        return space.resize(max_size);
    }

    /// A result that has come, without the descriptor that it may begin with.
    bytes checked(int k, std::size_t c, bytes destination, std::size_t size)
    {
        const bytes result = destination.first(size);
        if (progress_.gathers() && lands_in_output(k, c))
            require_result_size(size, destination.size());
        if (!progress_.gathers() || !progress_.described_by_result(c)) return result;
        return progress_.without_description(result);
    }

    /// The stage before has the results of one more digit, which is this owner's.
    void pass_on(int k, int owner, std::size_t c, bytes result)
    {
        std::vector<std::byte> encoded;
        if (!progress_.messages().verbatim()) encoded = progress_.for_stage_before(k, result);
        progress_.finish(k - 1, c, progress_.digit_of(owner, k), std::move(encoded));
    }

    stage_progress& progress_;
    const call_plan& plan_;
    peer_io& io_;
    contribution_weights& weights_;
    result_digests& results_;
    thread_pool* pool_;
    std::deque<chunk_count> sent_;  // by owner and stage
};

}  // namespace papilio::detail
