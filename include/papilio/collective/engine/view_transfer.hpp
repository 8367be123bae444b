#pragma once

#include <papilio/async/offload.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/peer_io.hpp>
#include <papilio/collective/agreement/settlement.hpp>
#include <papilio/collective/agreement/view_mover.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/view_items.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What all views of a call have in common. `pool` may be null.
struct view_parts {
    peer_io& io;
    const call_plan& plan;
    const call_data& data;
    thread_pool* pool;
};

/// Moves the data of one view, as it has been settled: see `view_engine`. What has been settled is
/// read by the constructor alone.
class view_transfer {
public:
    view_transfer(const view_parts& of, const call_shape& call, const wire::proposal& settled,
                  chunk_keeper& keeper)
        : io_(of.io),
          data_(of.data),
          pool_(of.pool),
          keeper_(keeper),
          view_(settled.view),
          coordinator_(call.who.coordinator(settled.view)),
          slots_(of.plan.slots),
          encodes_results_(!of.data.kind().verbatim && gathers(call)),
          items_(of.plan, call, settled, of.io.me())
    {
        for (const int peer : items_.contributors())
            weights_.push_back(settled.weights[index(peer)]);
    }
    view_transfer(const view_transfer&) = delete;
    view_transfer& operator=(const view_transfer&) = delete;

    /// What all slots do. They borrow this object.
    std::vector<task<>> all_slots()
    {
        for (const auto& item : items_.without_elements())
            keeper_.hold(item.owner, item.column, item.version);
        std::vector<task<>> work;
        for (std::size_t slot = 0; slot < slots_; ++slot) {
            if (slot < items_.made_here().size()) work.push_back(make());
            for (int peer = 0; peer < io_.size(); ++peer) {
                if (slot < items_.kept_for(peer).size())
                    work.push_back(io_.blaming(peer, phase::result, give(peer)));
                if (slot < items_.coming_from(peer).size())
                    work.push_back(io_.blaming(peer, phase::result, take(peer)));
            }
        }
        return work;
    }

private:
    /// What a slot needs to make one item after another. It lies in the slot's frame, since no
    /// other slot's worker uses it.
    struct workspace {
        std::vector<contribution> from;       // in rank order
        std::vector<pooled_buffer> received;  // what `from` refers to
        pooled_buffer scratch;
        std::vector<std::byte> encoded;
    };

    /// A slot that makes items anew: all contributions in, reduced, the result out to all.
    task<> make()
    {
        if (weights_.empty()) throw nobody_contributes(io_.me());
        workspace space;
        space.from.resize(weights_.size());
        space.received.resize(weights_.size());
        while (const auto* item = items_.made_here().take()) {
            auto contributions = contributions_to(*item, space);
            co_await when_all(std::move(contributions));
            PAPILIO_CHECK(data_.has_output(item->where), "who makes a chunk has a place for it");
            keeper_.overwrite(item->owner, item->column);
            auto work = [&] { reduce(*item, space); };
            co_await offload(pool_, work);
            keeper_.hold(item->owner, item->column, item->version);
            auto results = results_of(*item, space);
            co_await when_all(std::move(results));
            for (const int peer : items_.contributors())
                if (peer != io_.me()) io_.answered(peer);
        }
    }

    /// This peer's own elements at once, and those of others as they come.
    std::vector<task<>> contributions_to(const view_item& item, workspace& space)
    {
        std::vector<task<>> work;
        std::size_t k = 0;
        for (const int peer : items_.contributors()) {
            auto& to = space.from[k];
            auto& received = space.received[k++];
            if (peer == io_.me())
                to = {-1, own_elements(item)};
            else
                work.push_back(
                    io_.blaming(peer, phase::contribution, receive(peer, item, received, to)));
        }
        return work;
    }

    task<> receive(int peer, const view_item& item, pooled_buffer& received, contribution& to)
    {
        io_.expect(peer, message_kind::contribution);
        const auto into = received.resize(data_.bound(content::own, item.where.size));
        const auto size = co_await io_.recv(peer, tag_for(message_kind::contribution, item), into);
        to = {peer, into.first(size)};
    }

    void reduce(const view_item& item, workspace& space) const
    {
        const chunk_input chunk{
            .where = item.where, .from = space.from, .weights = weights_, .me = io_.me()};
        blame_result(io_.me(), [&] {
            data_.reduce(chunk, space.scratch, encodes_results_ ? &space.encoded : nullptr);
        });
    }

    std::vector<task<>> results_of(const view_item& item, const workspace& space)
    {
        const auto message = verbatim() ? data_.output(item.where) : bytes(space.encoded);
        std::vector<task<>> work;
        for (const int peer : item.takers)
            if (peer != io_.me())
                work.push_back(
                    io_.blaming(peer, phase::result,
                                io_.send(peer, tag_for(message_kind::result, item), message)));
        return work;
    }

    /// A slot that passes on what `peer` lacks, as elements.
    task<> give(int peer)
    {
        while (const auto* item = items_.kept_for(peer).take()) {
            const auto message = data_.output(item->where);
            co_await io_.send(peer, tag_for(message_kind::result, *item), message);
        }
    }

    /// A slot that has from `giver` what this peer lacks, and contributes to what it makes anew.
    task<> take(int giver)
    {
        pooled_buffer space;
        while (const auto* item = items_.coming_from(giver).take()) {
            if (item->anew && items_.contributors().contains(io_.me())) {
                co_await contribute(*item, space);
            }
            if (item->takers.contains(io_.me())) {
                co_await receive_result(*item, space);
            }
        }
    }

    /// Sends this peer's original elements, encoded in `space` unless they travel as they lie.
    task<> contribute(const view_item& item, pooled_buffer& space)
    {
        auto message = own_elements(item);
        if (!verbatim()) {
            // Not by a worker: each thread has a pool, and buffers return to this one's.
            const auto to = space.resize(data_.bound(content::own, item.where.size));
            auto encode = [&] {
                blame_contribution(io_.me(), io_.me(), [&] {
                    message = to.first(data_.encode(content::own, item.where.begin, message, to));
                });
            };
            co_await offload(pool_, encode);
        }
        co_await io_.send(item.giver, tag_for(message_kind::contribution, item), message);
    }

    task<> receive_result(const view_item& item, pooled_buffer& space)
    {
        io_.expect(item.giver, message_kind::result);
        keeper_.overwrite(item.owner, item.column);
        const bool as_it_lies = !item.anew || verbatim();
        const auto into = as_it_lies ? data_.overwrite(item.where)
                                     : space.resize(data_.bound(content::reduced, item.where.size));
        const auto size = co_await io_.recv(item.giver, tag_for(message_kind::result, item), into);
        if (as_it_lies) {
            require_result_size(size, into.size());
        } else {
            auto decode = [&] {
                data_.decode(item.where.begin, into.first(size), data_.overwrite(item.where));
            };
            co_await offload(pool_, decode);
        }
        keeper_.hold(item.owner, item.column, item.version);
    }

    bool verbatim() const noexcept { return data_.kind().verbatim; }

    /// Results are for others than their owners. Then they have been rounded for the way, whoever
    /// is left to have them.
    static bool gathers(const call_shape& call)
    {
        return std::ranges::any_of(call.needed_by, [](const auto& who) { return who.size() > 1; });
    }

    /// As the caller gave them. An honest coordinator knows who has none, by its weight of 0.
    bytes own_elements(const view_item& item) const
    {
        if (data_.in().empty())
            throw call_error(errc::bad_message, coordinator_, io_.me(), phase::contribution,
                             "it wants elements of a peer that has none");
        return data_.original(item.where);
    }

    tag tag_for(message_kind kind, const view_item& item) const
    {
        return io_.tag_for(kind, item.number, view_);
    }

    peer_io& io_;
    const call_data& data_;
    thread_pool* pool_;
    chunk_keeper& keeper_;
    std::uint8_t view_;
    int coordinator_;
    std::size_t slots_;
    bool encodes_results_;
    view_items items_;
    std::vector<double> weights_;  // of the contributors, in rank order
};

}  // namespace papilio::detail
