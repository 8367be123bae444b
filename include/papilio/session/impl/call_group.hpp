#pragma once

#include <papilio/async/keep_result.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/text.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/session/collective_calls.hpp>
#include <papilio/session/impl/chosen.hpp>
#include <papilio/session/impl/open_calls.hpp>
#include <papilio/session/impl/shared_links.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/wire/abort.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
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

/// The calls of one group, and what ends them: a peer that aborts, or this one that goes. For
/// tasks on the loop of `links`, which it borrows.
class call_group {
public:
    /// Of epoch 0, all peers; else `members`, in this order.
    call_group(shared_links& links, std::vector<int> members, std::uint32_t epoch)
        : links_(links), epoch_(epoch)
    {
        if (epoch > 0) part_.emplace(links.net(), std::move(members), epoch);
        transport_.emplace(part_ ? any_transport(*part_) : any_transport(links.net()));
        for (int peer = 0; peer < size(); ++peer)
            if (peer != rank()) listeners_.push_back(listen_to(peer));
        for (auto& l : listeners_) l.start(links.loop().loop());
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
        return o.call > 0 ? o.call : calls_.next_number();
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

    /// Returns what `work` does, the call of the group with options `o`, which have its number,
    /// unless that is ended before or meanwhile: then ends it, and throws why. Whatever `work`
    /// calls in this group has the same number.
    template <class T>
    task<T> until_ended(call_options o, open_calls::ends_by how, task<T> work)
    {
        if (closed_) throw canceled();
        open_calls::entry here(calls_, o.call, how);
        if (here.ended()) {
            task<report> told = refused(o, std::make_exception_ptr(end_error(here)));
            co_await std::move(told);
        }
        std::optional<T> result;
        std::exception_ptr failed;
        bool given_up = false, unknown = false;
        try {
            co_await when_any(keep_result<T>(std::move(work), result), end_of(here));
        } catch (const std::system_error& failure) {
            failed = std::current_exception();
            given_up = failure.code() == errc::peer_failed;
            unknown = failure.code() == errc::outcome_unknown;
        }
        if (result) co_return *std::move(result);  // it was through before it was to end
        if (given_up && !here.ended()) {
            task<> heard = reason_of_drop(here);
            co_await std::move(heard);
        }
        if (here.ended() && !unknown) throw_end(here);
        std::rethrow_exception(failed);
    }

    /// Ends the calls of these numbers everywhere; without numbers those that are under way here,
    /// or else the next one.
    void abort(std::string reason, std::vector<std::uint32_t> numbers)
    {
        for (const auto n : numbers)
            if (n < 1 || n > max_call)
                throw bad_value("the number of a call to abort", "1 to 524,287", n);
        const auto all = calls_.targets(std::move(numbers));
        for (std::size_t i = 0; i < all.size(); i += wire::max_aborted_calls) {
            const auto end = std::min(all.size(), i + wire::max_aborted_calls);
            end_calls({static_cast<std::uint32_t>(rank()),
                       {all.begin() + static_cast<std::ptrdiff_t>(i),
                        all.begin() + static_cast<std::ptrdiff_t>(end)},
                       reason.substr(0, wire::max_abort_reason)});
        }
    }

    /// Ends them here, for good, and finishes when none is left.
    task<> close()
    {
        closed_ = true;
        calls_.end_all();
        while (!calls_.idle()) {
            co_await calls_.idle_gate().opened();
        }
        listeners_.clear();
    }

private:
    static std::system_error canceled()
    {
        return {std::make_error_code(std::errc::operation_canceled),
                "the communicator was destroyed, or closed"};
    }

    [[noreturn]] void throw_end(const open_calls::entry& of) const
    {
        if (closed_) throw canceled();
        throw end_error(of);
    }
    call_error end_error(const open_calls::entry& of) const
    {
        const auto& why = *of.ended();
        return {errc::aborted, why.aborter, rank(), phase::contribution, why.reason};
    }

    /// Passes on an abort that says anything new, and then ends the calls: so each other peer hears
    /// why, also if the aborter is lost now, and by the same link before it hears that they were
    /// dropped.
    void end_calls(const wire::abort_told& told)
    {
        const auto reason = printable(told.reason);
        const auto aborter = static_cast<int>(told.aborter);
        if (!calls_.would_end(told.calls)) return;
        const auto message = wire::encode_abort(told);
        const auto t = request_tag(control_service::abort);
        for (int peer = 0; peer < size(); ++peer)
            if (peer != rank()) transport_->post(peer, t, message);
        const auto not_begun = calls_.end(told.calls, {aborter, reason}, *transport_->calls());
        for (const auto number : not_begun) say_no(number);
        log(log_level::warning, "calls aborted", {"rank", "epoch", "peer", "call", "calls", "why"},
            rank(), epoch_, aborter, told.calls.front().number, told.calls.size(), reason);
    }

    /// To a call that this peer would begin next: those who have said yes wait for its vote.
    void say_no(std::uint32_t number)
    {
        const auto t = make_tag({.call = number,
                                 .kind = message_kind::vote,
                                 .attempt = transport_->calls()->begun(number)});
        const auto no = wire::encode(wire::refusal(rank(), errc::peer_failed));
        for (int peer = 0; peer < size(); ++peer)
            if (peer != rank()) transport_->post(peer, t, no);
    }

    task<> end_of(open_calls::entry& call)
    {
        co_await call.end_gate().opened();
        throw_end(call);
    }

    /// A peer has dropped the call. If it was aborted, the reason is under way to this one as well.
    task<> reason_of_drop(open_calls::entry& call)
    {
        const auto begin = co_await now();
        task<> ended = end_of(call);
        try {
            co_await timeout(std::move(ended), begin + std::chrono::milliseconds(200));
        } catch (const std::system_error&) {
            // Either it has come, or there is none.
        }
    }

    /// Takes in what aborts `peer` tells of. While there is no link, asks anew every so often.
    task<> listen_to(int peer)
    {
        std::array<std::byte, wire::max_abort_bytes> message{};
        const auto t = request_tag(control_service::abort);
        for (;;) {
            bool failed = false;
            try {
                const auto size = co_await transport_->recv(peer, t, message);
                const auto told = wire::parse_abort(bytes(message).first(size),
                                                    static_cast<std::uint32_t>(this->size()));
                end_calls(told);
            } catch (const std::system_error&) {
                failed = true;
            }
            if (failed) {
                co_await sleep_for(std::chrono::milliseconds(100));
            }
        }
    }

    task<report> collective_of(const asked_call& a)
    {
        std::unique_ptr<call_data> data;
        if (a.what != collective::barrier) {
            try {
                data = data_of_choice({a.in, a.out, a.op, a.codec});
            } catch (const std::system_error&) {
                return refused(a.options, std::current_exception());
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

    task<report> refused(call_options options, std::exception_ptr why)
    {
        opened_call opened(*transport_, options);
        opened.prepared([](std::exception_ptr e) -> int { std::rethrow_exception(e); }, why);
        task<report> told = opened.refuse();
        co_return co_await std::move(told);
    }

    shared_links& links_;
    std::uint32_t epoch_;
    std::optional<subset<mesh>> part_;  // none: all peers
    std::optional<any_transport> transport_;
    link_history history_;
    std::uint32_t shrinks_ = 0;

    open_calls calls_;
    bool closed_ = false;
    std::vector<task<>> listeners_;
};

}  // namespace papilio::detail
