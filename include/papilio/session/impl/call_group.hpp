#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/session/collective_calls.hpp>
#include <papilio/session/impl/call_aborts.hpp>
#include <papilio/session/impl/chosen.hpp>
#include <papilio/session/impl/open_calls.hpp>
#include <papilio/session/impl/shared_links.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/wire/tag.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// The calls of one group. For tasks on the loop of `links`, which it borrows.
class call_group {
public:
    /// Of epoch 0, all peers; else `members`, in this order.
    call_group(shared_links& links, std::vector<int> members, std::uint32_t epoch)
        : links_(links), epoch_(epoch)
    {
        if (epoch > 0) {
            part_.emplace(links.net(), members, epoch);
        } else {
            members.resize(index(links.net().size()));
            std::iota(members.begin(), members.end(), 0);
        }
        transport_.emplace(part_ ? any_transport(*part_) : any_transport(links.net()));
        aborts_.emplace(links.loop().loop(), links.net(), *transport_, epoch, std::move(members));
    }
    call_group(const call_group&) = delete;
    call_group& operator=(const call_group&) = delete;

    int rank() const { return part_ ? part_->rank() : links_.net().rank(); }
    int size() const { return part_ ? part_->size() : links_.net().size(); }

    /// The rank among all peers of one of this group.
    int member(int peer) const { return part_ ? part_->member(peer) : peer; }

    std::uint32_t epoch() const noexcept { return epoch_; }
    any_transport transport() const { return *transport_; }
    shared_links& links() noexcept { return links_; }
    link_history& history() noexcept { return history_; }

    /// How often the group was shrunk before.
    std::uint32_t count_shrink() noexcept { return shrinks_++; }

    /// The number of a call with these options, which it takes from now on.
    std::uint32_t number_for(const call_options& o)
    {
        if (o.call > max_call) throw bad_value("call_options::call", "at most 524,287", o.call);
        return o.call > 0 ? o.call : aborts_->next_number();
    }

    /// A collective. What is wrong with its types is refused as the rest of it is: under its
    /// number, so that the others learn of it and all go on with the same ones.
    task<report> call(asked_call asked)
    {
        asked.options.call = number_for(asked.options);
        task<report> made = collective_of(asked);
        task<report> guarded =
            until_ended(asked.options, end_of_call(asked.options), std::move(made));
        auto done = co_await std::move(guarded);
        const auto time = co_await now();
        history_.note_call(done.up, done.down, time.time_since_epoch());
        if (done.round_trip)
            history_.note_latency(std::chrono::duration<double>(*done.round_trip).count() / 2,
                                  time.time_since_epoch());
        co_return done;
    }

    /// How a call with these options ends when it is aborted. With `salvage` the others would go on
    /// without those that have dropped it.
    static open_calls::ends_by end_of_call(const call_options& o) noexcept
    {
        return o.salvage ? open_calls::ends_by::dropping : open_calls::ends_by::votes;
    }

    /// See `call_aborts`.
    template <class T>
    task<T> until_ended(call_options o, open_calls::ends_by how, task<T> work)
    {
        return aborts_->until_ended(o, how, std::move(work));
    }
    void abort(const std::string& reason, std::vector<std::uint32_t> numbers)
    {
        aborts_->abort(reason, std::move(numbers));
    }
    task<> close() { return aborts_->close(); }

private:
    task<report> collective_of(const asked_call& a)
    {
        std::unique_ptr<call_data> data;
        if (a.what != collective::barrier) {
            try {
                data = data_of_choice({a.in, a.out, a.op, a.codec});
            } catch (const std::system_error&) {
                return refused_call(*transport_, a.options, std::current_exception());
            }
        }
        switch (a.what) {
        case collective::all_reduce: return run_all_reduce(*transport_, std::move(data), a.options);
        case collective::all_reduce_in_place:
            return run_all_reduce_in_place(*transport_, std::move(data), a.options);
        case collective::reduce_scatter:
            return run_reduce_scatter(*transport_, std::move(data), a.options);
        case collective::all_gather: return run_all_gather(*transport_, std::move(data), a.options);
        case collective::broadcast: return broadcast(a, a.root);
        case collective::barrier: break;
        }
        return run_barrier(*transport_, a.options);
    }

    /// The root alone has an input.
    task<report> broadcast(const asked_call& a, int root)
    {
        auto in = a.in;
        if (rank() != root) in = {a.out.data(), 0, a.out.type()};
        return run_broadcast(*transport_, data_of_choice({in, a.out, a.op, a.codec}), root,
                             a.options);
    }

    shared_links& links_;
    std::uint32_t epoch_;
    std::optional<subset<mesh>> part_;  // none: all peers
    std::optional<any_transport> transport_;
    link_history history_;
    std::uint32_t shrinks_ = 0;
    std::optional<call_aborts> aborts_;
};

}  // namespace papilio::detail
