#pragma once

#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/agreement/call_run.hpp>
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
class small_all_reduce {
public:
    small_all_reduce(call_run& call, const call_plan& plan, const call_data& data)
        : call_(call),
          io_(call.io()),
          weights_(call.weights()),
          status_(call.status()),
          plan_(plan),
          data_(data),
          messages_(static_cast<std::size_t>(io_.size()))
    {
    }
    small_all_reduce(const small_all_reduce&) = delete;
    small_all_reduce& operator=(const small_all_reduce&) = delete;

    /// Moves the data between members. The output is complete when it finishes.
    task<> move()
    {
        encode_own();
        std::vector<task<>> work;
        for (int step = 1; step < io_.size(); ++step) {
            const int peer = (io_.me() + step) % io_.size();
            io_.expect(peer, message_kind::contribution);
            if (!io_.post(peer, io_.tag_for(message_kind::contribution, 0), of(io_.me()).data))
                work.push_back(io_.blaming(peer, phase::contribution, send_to(peer)));
            work.push_back(io_.blaming(peer, phase::contribution, receive_from(peer)));
        }
        co_await when_all(std::move(work));
        reduce();
        weights_.set_reduced();
        if (auto* const held = call_.held()) *held = chunk_versions(extent_of(plan_), 0);
        const auto end = co_await now();
        status_.part_reduced(end);
    }

private:
    static constexpr std::size_t head = wire::descriptor::encoded_size;

    /// A message, and the encoded elements of each part in it.
    struct message {
        std::vector<std::byte> data;
        std::vector<bytes> parts;
    };

    message& of(int peer) { return messages_[static_cast<std::size_t>(peer)]; }

    /// Each part is encoded by itself, as it would be on its way to its owner. Whoever weighs
    /// nothing sends no parts.
    void encode_own()
    {
        auto& to = of(io_.me()).data;
        to.resize(max_message());
        std::ranges::copy(wire::encode(weights_.descriptor(0)), to.begin());
        std::size_t size = head;
        if (!weights_.has_elements(io_.me(), 0)) {
            to.resize(size);
            return;
        }
        blame_contribution(io_.me(), io_.me(), [&] {
            for (const auto& p : plan_.parts) {
                const auto entry = mutable_bytes(to).subspan(size);
                const auto n =
                    data_.encode(content::own, p.begin, data_.input(p), entry.subspan(length_size));
                size += finish_entry(entry, n);
            }
        });
        to.resize(size);
        of(io_.me()).parts = entries_of(bytes(to).subspan(head), plan_.parts.size());
    }

    std::size_t max_message() const
    {
        std::size_t size = head;
        for (const auto& p : plan_.parts) size += prefixed_size(data_.bound(content::own, p.size));
        return size;
    }

    task<> send_to(int peer)
    {
        return io_.send(peer, io_.tag_for(message_kind::contribution, 0), of(io_.me()).data);
    }

    task<> receive_from(int peer)
    {
        auto& from = of(peer);
        from.data.resize(max_message());
        const auto size =
            co_await io_.recv(peer, io_.tag_for(message_kind::contribution, 0), from.data);
        const auto received = bytes(from.data).first(size);
        weights_.take(peer, received);
        const bool weighs = weights_.has_elements(peer, 0);
        from.parts = entries_of(received.subspan(head), weighs ? plan_.parts.size() : 0);
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
        for (std::size_t i = 0; i < plan_.parts.size(); ++i) {
            for (std::size_t k = 0; k < present.size(); ++k)
                from[k] = {present[k].rank, of(present[k].rank).parts[i]};
            const chunk_input part{
                .where = plan_.parts[i], .from = from, .weights = weights, .me = io_.me()};
            blame_result(io_.me(),
                         [&] { data_.reduce(part, scratch, travels ? &encoded : nullptr); });
        }
    }

    call_run& call_;
    peer_io& io_;
    contribution_weights& weights_;
    call_status& status_;
    const call_plan& plan_;
    const call_data& data_;
    std::vector<message> messages_;  // by rank
};

}  // namespace papilio::detail
