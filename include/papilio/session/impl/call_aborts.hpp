#pragma once

#include <papilio/async/keep_result.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/text.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/session/impl/open_calls.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/mesh.hpp>
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
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A call that this peer refuses, for `why`: under its number, so that the others learn of it and
/// all go on with the same ones.
inline task<report> refused_call(any_transport in, call_options options, std::exception_ptr why)
{
    opened_call opened(in, options);
    opened.prepared([](std::exception_ptr e) -> int { std::rethrow_exception(e); }, why);
    task<report> told = opened.refuse();
    co_return co_await std::move(told);
}

/// What ends calls of a group from outside: a peer that aborts them, or this one that goes. For
/// tasks on the loop of `links`, which it borrows.
class call_aborts {
public:
    /// The peers of `group`, which has this epoch, are `members` of `links`, by rank.
    call_aborts(loop& on, mesh& links, any_transport group, std::uint32_t epoch,
                std::vector<int> members)
        : links_(links), group_(group), epoch_(epoch), members_(std::move(members))
    {
        for (int peer = 0; peer < group_.size(); ++peer)
            if (peer != group_.rank()) listeners_.push_back(listen_to(peer));
        for (auto& l : listeners_) l.start(on);
    }
    call_aborts(const call_aborts&) = delete;
    call_aborts& operator=(const call_aborts&) = delete;

    /// The number of the next call that names none.
    std::uint32_t next_number() noexcept { return calls_.next_number(); }

    /// Returns what `work` does, the call of the group with options `o`, which have its number,
    /// unless that is ended before or meanwhile: then ends it, and throws why. Whatever `work`
    /// calls in this group has the same number.
    template <class T>
    task<T> until_ended(call_options o, open_calls::ends_by how, task<T> work)
    {
        if (closed_) throw canceled();
        open_calls::entry here(calls_, o.call, how);
        if (here.ended()) {
            task<report> told = refused_call(group_, o, std::make_exception_ptr(end_error(here)));
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
    void abort(const std::string& reason, std::vector<std::uint32_t> numbers)
    {
        for (const auto n : numbers)
            if (n < 1 || n > max_call)
                throw bad_value("the number of a call to abort", "1 to 524,287", n);
        const auto all = calls_.targets(std::move(numbers));
        for (std::size_t i = 0; i < all.size(); i += wire::max_aborted_calls) {
            const auto end = std::min(all.size(), i + wire::max_aborted_calls);
            end_calls({static_cast<std::uint32_t>(group_.rank()),
                       {all.begin() + static_cast<std::ptrdiff_t>(i),
                        all.begin() + static_cast<std::ptrdiff_t>(end)},
                       reason.substr(0, wire::max_abort_reason)});
        }
    }

    /// Ends all calls here, for good, and finishes when none is left.
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
        return {errc::aborted, why.aborter, group_.rank(), phase::contribution, why.reason};
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
        for (int peer = 0; peer < group_.size(); ++peer)
            if (peer != group_.rank()) group_.post(peer, t, message);
        const auto not_begun = calls_.end(told.calls, {aborter, reason}, *group_.calls());
        for (const auto number : not_begun) say_no(number);
        log(log_level::warning, "calls aborted", {"rank", "epoch", "peer", "call", "calls", "why"},
            group_.rank(), epoch_, aborter, told.calls.front().number, told.calls.size(), reason);
    }

    /// To a call that this peer would begin next: those who have said yes wait for its vote.
    void say_no(std::uint32_t number)
    {
        const auto t = make_tag(
            {.call = number, .kind = message_kind::vote, .attempt = group_.calls()->begun(number)});
        const auto no = wire::encode(wire::refusal(group_.rank(), errc::peer_failed));
        for (int peer = 0; peer < group_.size(); ++peer)
            if (peer != group_.rank()) group_.post(peer, t, no);
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

    /// Takes in what aborts `peer` tells of, over one link to it after the other.
    task<> listen_to(int peer)
    {
        const int member = members_[static_cast<std::size_t>(peer)];
        for (;;) {
            const auto link = links_.link_number(member);
            task<> heard = hear_from(peer);
            co_await std::move(heard);
            while (links_.link_number(member) == link) {
                links_.link_changes().close();
                co_await links_.link_changes().opened();
            }
        }
    }

    /// Until the link breaks. What is no abort is passed over.
    task<> hear_from(int peer)
    {
        std::array<std::byte, wire::max_abort_bytes> message{};
        const auto t = request_tag(control_service::abort);
        const int member = members_[static_cast<std::size_t>(peer)];
        for (bool there = true; there;) {
            try {
                const auto size = co_await group_.recv(peer, t, message);
                end_calls(wire::parse_abort(bytes(message).first(size),
                                            static_cast<std::uint32_t>(group_.size())));
            } catch (const std::system_error& failure) {
                const auto code = failure.code();
                // A link that has broken by such a message says so for ever.
                there = (code == errc::bad_message || code == errc::too_large) &&
                        links_.connected(member);
            }
        }
    }

    mesh& links_;
    any_transport group_;
    std::uint32_t epoch_;
    std::vector<int> members_;
    open_calls calls_;
    bool closed_ = false;
    std::vector<task<>> listeners_;
};

}  // namespace papilio::detail
