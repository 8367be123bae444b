#pragma once

#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/index.hpp>
#include <papilio/collective/agreement/call_failure.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A call has its number before anything about it can be refused, so that peers whose arguments
/// are right and those whose are wrong go on with the same numbers.
class opened_call {
public:
    /// Throws `errc::bad_argument` if there is no number for the call, or its number is in use.
    opened_call(any_transport net, const call_options& o)
        : net_(std::move(net)),
          number_(number_for(net_, o)),
          roles_(o.roles.begin(), o.roles.end()),
          patience_(std::clamp<duration>(o.timeout, {}, std::chrono::seconds(1)))
    {
        if (auto* const numbers = net_.calls()) attempt_ = numbers->begin(number_);
        net_.begin_call(tag_for(message_kind::vote));
        net_.prioritise(tag_for(message_kind::vote), o.priority);
    }
    opened_call(const opened_call&) = delete;
    opened_call& operator=(const opened_call&) = delete;
    ~opened_call()
    {
        if (auto* const numbers = net_.calls()) numbers->end(number_);
        if (waits_) tell_of_drop();
    }

    std::uint32_t number() const noexcept { return number_; }

    /// How often the number was begun before.
    std::uint32_t attempt() const noexcept { return attempt_; }

    /// The call waits for links before it can be prepared. If it is dropped meanwhile, the others
    /// are told.
    void wait_for_links() noexcept { waits_ = true; }

    /// What `prepare(arguments...)` returns; nothing if it throws: then the call is to be refused.
    template <class Prepare, class... Arguments>
    auto prepared(Prepare prepare, Arguments&&... arguments)
        -> std::optional<std::invoke_result_t<Prepare, Arguments...>>
    {
        waits_ = false;
        try {
            return prepare(std::forward<Arguments>(arguments)...);
        } catch (...) {
            refusal_ = std::current_exception();
            return std::nullopt;
        }
    }

    /// Ends the call for all: tells the others why, who fail at once, and throws what `prepare` has
    /// thrown.
    task<report> refuse()
    {
        const call_failure failure(refusal_, net_.rank(), phase::contribution);
        failure.write_to_log(number_);
        net_.discard_call(tag_for(message_kind::vote));
        const auto no =
            wire::encode(wire::refusal(net_.rank(), wire::reason_of(failure.error().code())));
        const auto begin = co_await now();
        task<> told = tell(no);
        try {
            co_await timeout(std::move(told), begin + patience_);
        } catch (const std::system_error&) {
            // Whoever is not reached finds out by its own deadline.
        }
        if (refusal_) std::rethrow_exception(refusal_);
        co_return report{};  // never: a call is refused for a reason
    }

private:
    static std::uint32_t number_for(any_transport& net, const call_options& o)
    {
        if (o.call > max_call) throw bad_value("call_options::call", "at most 524,287", o.call);
        if (o.call != 0) return o.call;
        // Without numbers of its own a transport could not tell one call's messages from the next
        // one's.
        if (auto* const numbers = net.calls()) return numbers->next();
        detail::refuse(
            "this transport does not number calls: give call_options::call, another for each "
            "call");
    }

    /// As far as the caller's options can be believed.
    role role_of(int peer) const
    {
        return index(peer) < roles_.size() ? roles_[index(peer)] : role::full;
    }

    tag tag_for(message_kind kind) const noexcept
    {
        return make_tag({.call = number_, .kind = kind, .attempt = attempt_});
    }

    /// A call that is dropped before it is prepared, while it waits for links.
    void tell_of_drop() noexcept
    {
        try {
            const auto no = wire::encode(wire::refusal(net_.rank(), errc::peer_failed));
            net_.discard_call(tag_for(message_kind::vote));
            for (int peer = 0; peer < net_.size(); ++peer)
                if (peer != net_.rank()) net_.post(peer, tag_for(message_kind::vote), no);
        } catch (...) {
            // Without memory the others wait for their deadline.
        }
    }

    /// Votes no about a call that this peer cannot describe. Clients do not reach each other, and
    /// observers have no vote.
    task<> tell(bytes no)
    {
        const auto mine = role_of(net_.rank());
        std::vector<task<>> sends;
        for (int peer = 0; peer < net_.size(); ++peer) {
            const bool apart = mine == role::client && role_of(peer) == role::client;
            if (peer == net_.rank() || apart || !votes(mine)) continue;
            if (!net_.post(peer, tag_for(message_kind::vote), no))
                sends.push_back(send_to(peer, no));
        }
        co_await when_all(std::move(sends));
    }

    task<> send_to(int peer, bytes no)
    {
        try {
            co_await net_.send(peer, tag_for(message_kind::vote), no);
        } catch (const std::system_error&) {
            // The others are told all the same.
        }
    }

    any_transport net_;
    std::uint32_t number_;
    std::vector<role> roles_;  // by rank, if the caller says
    duration patience_;
    std::uint32_t attempt_ = 0;
    std::exception_ptr refusal_;
    bool waits_ = false;  // later whoever prepares the call tells the others how it ends
};

}  // namespace papilio::detail
