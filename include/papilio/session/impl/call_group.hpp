#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/keep_result.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
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
#include <papilio/session/impl/shared_links.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/wire/abort.hpp>
#include <papilio/wire/control.hpp>

#include <array>
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

/// The calls of one group, and what ends them all: a peer that aborts, or this one that goes. For
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

    /// A collective. What is wrong with its types is refused as the rest of it is: under its
    /// number, so that the others learn of it and all go on with the same ones.
    task<report> call(asked_call asked)
    {
        task<report> made = collective_of(asked);
        task<report> guarded = until_ended(std::move(made));
        auto done = co_await std::move(guarded);
        const auto time = co_await now();
        history_.note_call(done.up, done.down, time.time_since_epoch());
        if (done.round_trip)
            history_.note_latency(std::chrono::duration<double>(*done.round_trip).count() / 2,
                                  time.time_since_epoch());
        co_return done;
    }

    /// Returns what `work` does, unless the calls of the group are ended meanwhile: then drops it,
    /// and throws why.
    template <class T>
    task<T> until_ended(task<T> work)
    {
        if (closed_) throw canceled();
        const counted here(*this);
        const auto before = ends_;
        std::optional<T> result;
        std::exception_ptr failed;
        bool given_up = false;
        try {
            co_await when_any(keep_result<T>(std::move(work), result), end());
        } catch (const std::system_error& failure) {
            failed = std::current_exception();
            given_up = failure.code() == errc::peer_failed;
        }
        if (result) co_return *std::move(result);  // it was through before it was to end
        if (given_up && ends_ == before) {
            task<> heard = reason_of_drop();
            co_await std::move(heard);
        }
        if (ends_ != before) throw_end();
        std::rethrow_exception(failed);
    }

    /// Ends the calls that are under way, here and at the others.
    void abort(std::string reason)
    {
        const auto message = wire::encode_abort(reason);
        const auto t = request_tag(control_service::abort);
        for (int peer = 0; peer < size(); ++peer)
            if (peer != rank()) transport_->post(peer, t, message);
        end_calls(rank(), std::move(reason));
    }

    /// Ends them here, for good, and finishes when none is left.
    task<> close()
    {
        closed_ = true;
        end_calls(-1, {});
        while (running_ > 0) {
            co_await idle_.opened();
        }
        listeners_.clear();
    }

private:
    class counted {
    public:
        explicit counted(call_group& of) noexcept : of_(of)
        {
            ++of_.running_;
            of_.idle_.close();
        }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted()
        {
            if (--of_.running_ == 0) of_.idle_.open();
        }

    private:
        call_group& of_;
    };

    static std::system_error canceled()
    {
        return {std::make_error_code(std::errc::operation_canceled),
                "the communicator was destroyed, or closed"};
    }

    [[noreturn]] void throw_end() const
    {
        if (closed_) throw canceled();
        throw call_error(errc::aborted, aborter_, rank(), phase::contribution, reason_);
    }

    void end_calls(int aborter, std::string reason)
    {
        aborter_ = aborter;
        reason_ = std::move(reason);
        ++ends_;
        ended_.open();
        ended_.close();  // for later calls
        if (aborter >= 0)
            log(log_level::warning, "calls aborted", {"rank", "epoch", "peer", "why"}, rank(),
                epoch_, aborter, reason_);
    }

    task<> end()
    {
        co_await ended_.opened();
        throw_end();
    }

    /// A peer has dropped a call. If it was aborted, the reason is under way to this one as well.
    task<> reason_of_drop()
    {
        const auto begin = co_await now();
        task<> ended = end();
        try {
            co_await timeout(std::move(ended), begin + std::chrono::milliseconds(200));
        } catch (const std::system_error&) {
            // Either it has come, or there is none.
        }
    }

    /// Takes in that `peer` aborts. While there is no link, asks anew every so often.
    task<> listen_to(int peer)
    {
        std::array<std::byte, wire::max_abort_reason + 4> message{};
        const auto t = request_tag(control_service::abort);
        for (;;) {
            bool failed = false;
            try {
                const auto size = co_await transport_->recv(peer, t, message);
                auto reason = wire::parse_abort(bytes(message).first(size));
                end_calls(peer, printable(reason));
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

    gate ended_;
    int ends_ = 0;      // how often all calls were ended
    int aborter_ = -1;  // of the last time
    std::string reason_;
    bool closed_ = false;
    int running_ = 0;
    gate idle_;
    std::vector<task<>> listeners_;
};

}  // namespace papilio::detail
