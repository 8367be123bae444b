#pragma once

#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/agreement/receive_each.hpp>
#include <papilio/collective/agreement/result_digests.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/chunk_messages.hpp>
#include <papilio/collective/engine/length_prefix.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/descriptor.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The all-reduce of little data: every peer sends its contribution to the whole to every other,
/// and reduces all of it. One latency and half the messages less than the butterfly takes, for
/// n / 2 times the bytes. The bits are the same: each peer does to every part what its owner would.
class small_all_reduce final : message_taker {
public:
    small_all_reduce(call_run& call, const call_plan& plan, const call_data& data)
        : call_(call),
          io_(call.io()),
          weights_(call.weights()),
          status_(call.status()),
          plan_(plan),
          data_(data),
          whole_{0, data.out_elements()},
          entries_(data.kind().verbatim ? std::span(&whole_, 1) : std::span(plan.parts)),
          chunks_(data.has_undo_log() ? std::span(plan.parts) : entries_),
          slot_((max_message() + 63) / 64 * 64),
          memory_(slot_ * plan.parts.size()),
          contributions_(entries_.size() * plan.parts.size())
    {
        others_.reserve(plan.parts.size());
        for (int step = 1; step < io_.size(); ++step)
            others_.push_back((io_.me() + step) % io_.size());
    }
    small_all_reduce(const small_all_reduce&) = delete;
    small_all_reduce& operator=(const small_all_reduce&) = delete;

    /// Moves the data between members. The output is complete when it finishes.
    task<> move()
    {
        const auto own = encode_own();
        std::vector<task<>> sends = sends_that_wait(own);
        peer_io::receive_each arrivals(io_, message_kind::contribution, phase::contribution,
                                       others_, *this);
        if (sends.empty()) {
            co_await arrivals;
        } else {
            sends.push_back(all_of(arrivals));
            co_await when_all(std::move(sends));
        }
        reduce();
        weights_.set_reduced();
        if (auto* const held = call_.held()) *held = chunk_versions(extent_of(plan_), 0);
        const auto end = co_await now();
        status_.part_reduced(end);
    }

private:
    static constexpr std::size_t head = wire::descriptor::encoded_size;

    mutable_bytes slot_of(int peer) { return memory_.get().subspan(index(peer) * slot_, slot_); }

    /// The entries of a peer's message.
    std::span<bytes> entries_from(int peer)
    {
        const auto n = entries_.size();
        return std::span(contributions_).subspan(index(peer) * n, n);
    }

    /// A peer's encoded elements of chunk `i`.
    bytes chunk_from(int peer, std::size_t i)
    {
        const auto entries = entries_from(peer);
        if (!data_.kind().verbatim) return entries[i];
        const auto size = data_.kind().element_size;
        return entries[0].subspan(chunks_[i].begin * size, chunks_[i].size * size);
    }

    std::size_t max_message() const
    {
        std::size_t size = head;
        for (const auto& e : entries_) size += prefixed_size(data_.bound(content::own, e.size));
        return size;
    }

    /// Each part is encoded by itself, as it would be on its way to its owner; elements that travel
    /// as they lie in memory are the same however they are cut. Whoever weighs nothing sends none.
    bytes encode_own()
    {
        const auto to = slot_of(io_.me());
        const auto descriptor = wire::encode(weights_.descriptor(0));
        std::copy(descriptor.begin(), descriptor.end(), to.begin());
        std::size_t size = head;
        if (!weights_.has_elements(io_.me(), 0)) return to.first(size);
        blame_contribution(io_.me(), io_.me(), [&] {
            for (const auto& e : entries_) {
                const auto entry = to.subspan(size);
                const auto n =
                    data_.encode(content::own, e.begin, data_.input(e), entry.subspan(length_size));
                size += finish_entry(entry, n);
            }
        });
        take_entries(to.first(size).subspan(head), entries_from(io_.me()));
        return to.first(size);
    }

    /// Sends `own` to all others in the background; returns what the transport did not take.
    std::vector<task<>> sends_that_wait(bytes own)
    {
        std::vector<task<>> left;
        const auto what = io_.tag_for(message_kind::contribution, 0);
        for (const int peer : others_)
            if (!io_.post(peer, what, own))
                left.push_back(io_.blaming(peer, phase::contribution, io_.send(peer, what, own)));
        return left;
    }

    static task<> all_of(peer_io::receive_each& arrivals) { co_await arrivals; }

    mutable_bytes memory_for(int peer) override { return slot_of(peer).first(max_message()); }

    void take(int peer, bytes message) override
    {
        weights_.take(peer, message);
        if (!weights_.has_elements(peer, 0)) return take_entries(message.subspan(head), {});
        const auto entries = entries_from(peer);
        take_entries(message.subspan(head), entries);
        const auto right = data_.out().size();
        if (data_.kind().verbatim && entries[0].size() != right)
            throw wrong_size(peer, io_.me(), entries[0].size(), right);
    }

    void reduce()
    {
        const auto present = weights_.of_stage(0);
        if (present.empty()) throw nobody_contributes(io_.me());
        const auto weights = weights_of(present);
        const bool travels = !data_.kind().verbatim;
        pooled_buffer scratch;
        std::vector<std::byte> encoded;
        std::vector<contribution> from(present.size());
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            for (std::size_t k = 0; k < present.size(); ++k)
                from[k] = {present[k].rank, chunk_from(present[k].rank, i)};
            const chunk_input part{
                .where = chunks_[i], .from = from, .weights = weights, .me = io_.me()};
            blame_result(io_.me(),
                         [&] { data_.reduce(part, scratch, travels ? &encoded : nullptr); });
            if (travels) call_.results().add(chunk_digest(part.where, encoded));
        }
        if (!travels) call_.results().add(chunk_digest(whole_, data_.out()));
    }

    call_run& call_;
    peer_io& io_;
    contribution_weights& weights_;
    call_status& status_;
    const call_plan& plan_;
    const call_data& data_;
    part whole_;
    std::span<const part> entries_;  // what is encoded by itself
    std::span<const part> chunks_;   // and reduced: with an undo log, ranges that are restored
    std::size_t slot_;
    pooled_buffer memory_;              // of all messages, by rank
    std::vector<bytes> contributions_;  // by rank and entry
    std::vector<int> others_;
};

}  // namespace papilio::detail
