#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/mailbox.hpp>

#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL mailbox::mailbox(std::size_t limit, std::size_t total, std::size_t peers) noexcept
    : windows_(limit, total, peers), early_(windows_)
{
}

PAPILIO_DECL mailbox::~mailbox()
{
    PAPILIO_CHECK(waiting_.empty(), "drop the tasks that receive before their transport");
}

PAPILIO_DECL mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into)
{
    return {*this, {peer, t}, into};
}

PAPILIO_DECL mailbox::pending_receive mailbox::take(int peer, tag t, mutable_bytes into,
                                                    detail::lent_ptr& lent)
{
    return {*this, {peer, t}, into, &lent};
}

/// The oldest receive for an address, behind the first few.
PAPILIO_DECL mailbox::pending_receive* mailbox::oldest_receive(address from, std::size_t after)
{
    auto found = waiting_.lower_bound(from);
    while (after > 0 && found != waiting_.end() && found->first == from) ++found, --after;
    return found != waiting_.end() && found->first == from ? found->second : nullptr;
}

/// Gives a message, whose cost is accounted for, to the oldest receive, or keeps it for a later
/// one.
PAPILIO_DECL void mailbox::pass_on(address from, detail::kept_message message)
{
    pending_receive* const next = oldest_receive(from);
    if (!next) {
        hear(from.second);
        return early_.add(from, std::move(message));
    }
    const auto size = message.get().size();
    next->complete(std::move(message));
    early_.end(from.first, size);
}

PAPILIO_DECL void mailbox::note(int peer, const wire::flow& f)
{
    if (closed_.contains(peer)) return;
    const address from{peer, tag{f.subject}};
    switch (f.kind) {
    case wire::flow_kind::announce:
        if (past_.drops(from.second)) {
            answer(peer, wire::flow_kind::decline, f.number);
            return answer_call(from);
        }
        announced_.add(from, f.number, f.size);
        match(from);
        if (announced_.of(from).next) hear(from.second);
        windows_.raise(peer);
        break;
    case wire::flow_kind::withdraw:
        if (const auto announced = announced_.remove(from, f.number)) confirm(peer, *announced);
        match(from);  // the receive that it was granted to waits for the next one
        break;
    case wire::flow_kind::over: end_call(peer, from.second); break;
    default: break;
    }
}

/// Asks for the messages that are announced for an address, one for each receive that waits there
/// and has none on its way. One that is too large for its receive fails it, and need not come.
PAPILIO_DECL void mailbox::match(address from)
{
    using state = detail::announced_messages::state;
    while (!announced_.empty()) {
        const auto standing = announced_.of(from);
        if (!standing.next) return;
        pending_receive* const next =
            oldest_receive(from, standing.granted + early_.arriving(from));
        if (!next) return;
        auto& message = *standing.next;
        const bool fits = message.size <= next->into_.size();
        if (!fits) next->refuse(message.size);
        announced_.answer(from, message, fits ? state::granted : state::refused);
        answer(from.first, fits ? wire::flow_kind::grant : wire::flow_kind::decline,
               message.number);
    }
}

PAPILIO_DECL void mailbox::answer(int peer, wire::flow_kind kind, std::uint64_t number)
{
    windows_.reply(peer, {.kind = kind, .number = number});
}

/// An announcement has ended with its message or a withdrawal. If it was not answered before, it
/// is now: its sender counts it until then.
PAPILIO_DECL void mailbox::confirm(int peer, const detail::announced_messages::announced& ended)
{
    if (ended.is == detail::announced_messages::state::unanswered)
        answer(peer, wire::flow_kind::decline, ended.number);
}

/// A message of a call that has ended here, from a peer that still is in it, has come or waits.
PAPILIO_DECL void mailbox::answer_call(address from)
{
    const auto [peer, t] = from;
    const auto* const left = past_.answer_for(peer, t);
    if (!left) return;
    auto under = fields_of(t);
    under.kind = message_kind::answer;
    under.index = under.view = 0;
    if (windows_.answer_call(peer, make_tag(under), *left)) past_.told(peer, t);
}

/// A message under `t` finds no receive.
PAPILIO_DECL void mailbox::hear(tag t)
{
    if (!tells_of_views(t)) return;
    for (const auto& [call, heard] : watched_)
        if (call == call_of(t)) heard->open();
}

PAPILIO_DECL void mailbox::watch_call(tag t, gate& heard)
{
    watched_.emplace_back(call_of(t), &heard);
    const bool here =
        early_.any_of_views(t) || announced_.any_of([t](const address& from, const auto& message) {
            return message.is == detail::announced_messages::state::unanswered &&
                   call_of(from.second) == call_of(t) && tells_of_views(from.second);
        });
    if (here) heard.open();
}

/// What `peer` has sent of the call is of no use any more, but for a no or an answer: that tells
/// whoever is late how the call has ended. Of these, too, the last few will do.
PAPILIO_DECL void mailbox::end_call(int peer, tag t)
{
    early_.discard_all_but_end(peer, t);
    if (const auto oldest = past_.end(peer, t)) early_.discard_call(peer, *oldest);
}

PAPILIO_DECL void mailbox::close(int peer, std::error_code why)
{
    closed_.emplace(peer, why);
    windows_.close(peer);
    announced_.remove_if([peer](const address& from, const auto&) { return from.first == peer; });
    std::vector<pending_receive*> lost;
    for (const auto& [from, receive] : waiting_)
        if (from.first == peer) lost.push_back(receive);
    for (auto* receive : lost) {
        receive->leave_queue();
        receive->fail(why);
        receive->wake();
    }
}

PAPILIO_DECL void mailbox::reopen(int peer)
{
    closed_.erase(peer);
    past_.reopen(peer);
    early_.discard_peer(peer);
}

/// Messages that are announced for addresses of which `which`, and that nobody has asked for, need
/// not come.
template <class Which>
void mailbox::decline_if(Which which)
{
    announced_.remove_if([&](const address& from, const auto& message) {
        if (message.is != detail::announced_messages::state::unanswered || !which(from))
            return false;
        answer(from.first, wire::flow_kind::decline, message.number);
        return true;
    });
}

PAPILIO_DECL void mailbox::discard_call(tag t)
{
    if (!past_.discard(t)) return;
    early_.discard_call(t);
    decline_if([t](const address& from) { return call_of(from.second) == call_of(t); });
}

PAPILIO_DECL void mailbox::leave_answer(tag t, std::vector<std::byte> answer)
{
    past_.leave_answer(t, std::move(answer));
    auto dropped = early_.discard_later_views(t);
    decline_if([&](const address& from) {
        if (call_of(from.second) != call_of(t) || !concerns_later_views(from.second)) return false;
        dropped.push_back(from);
        return true;
    });
    for (const auto& from : dropped) answer_call(from);
}

PAPILIO_DECL void mailbox::begin_call(tag t)
{
    past_.begin(t);
}

}  // namespace papilio
