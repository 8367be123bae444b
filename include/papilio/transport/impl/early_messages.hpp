#pragma once

#include <papilio/base/config.hpp>
#include <papilio/transport/detail/early_messages.hpp>
#include <papilio/wire/tag.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL void early_messages::add(address from, kept_message message)
{
    later_views_ += concerns_later_views(from.second);
    messages_.emplace(from, std::move(message));
}

PAPILIO_DECL std::optional<kept_message> early_messages::take(address from)
{
    const auto found = messages_.lower_bound(from);
    if (found == messages_.end() || found->first != from) return std::nullopt;
    std::optional<kept_message> message(std::move(found->second));
    remove(found, message->get().size());
    return message;
}

template <class Which>
void early_messages::discard(messages::iterator from, messages::iterator to, Which which)
{
    while (from != to)
        from = which(*from) ? remove(from, from->second.get().size()) : std::next(from);
}

/// All tags of a call begin with its epoch and its number.
template <class Which>
void early_messages::discard_of_call(int peer, tag t, Which which)
{
    const auto first = static_cast<std::uint64_t>(t) >> 32 << 32;
    discard(messages_.lower_bound({peer, tag{first}}),
            messages_.upper_bound({peer, tag{first | 0xffffffffu}}),
            [&](const auto& m) { return call_of(m.first.second) == call_of(t) && which(m); });
}

PAPILIO_DECL void early_messages::discard_call(tag t)
{
    discard(messages_.begin(), messages_.end(),
            [t](const auto& m) { return call_of(m.first.second) == call_of(t); });
}

PAPILIO_DECL void early_messages::discard_call(int peer, tag t)
{
    discard_of_call(peer, t, [](const auto&) { return true; });
}

PAPILIO_DECL void early_messages::discard_all_but_end(int peer, tag t)
{
    discard_of_call(peer, t, [](const auto& m) {
        const auto kind = fields_of(m.first.second).kind;
        return kind != message_kind::answer &&
               (kind != message_kind::vote || !wire::says_no(m.second.get()));
    });
}

PAPILIO_DECL std::vector<early_messages::address> early_messages::discard_later_views(tag t)
{
    std::vector<address> found;
    if (later_views_ == 0) return found;
    discard(messages_.begin(), messages_.end(), [&](const auto& m) {
        const tag its = m.first.second;
        if (call_of(its) != call_of(t) || !concerns_later_views(its)) return false;
        found.push_back(m.first);
        return true;
    });
    return found;
}

PAPILIO_DECL bool early_messages::any_of_views(tag t) const
{
    return later_views_ > 0 && std::ranges::any_of(messages_, [t](const auto& m) {
               return call_of(m.first.second) == call_of(t) && tells_of_views(m.first.second);
           });
}

PAPILIO_DECL void early_messages::discard_peer(int peer)
{
    discard(messages_.lower_bound({peer, tag{}}),
            messages_.upper_bound({peer, tag{~std::uint64_t{0}}}),
            [](const auto&) { return true; });
}

PAPILIO_DECL early_messages::messages::iterator early_messages::remove(messages::iterator which,
                                                                       std::size_t size)
{
    later_views_ -= concerns_later_views(which->first.second);
    end(which->first.first, size);
    return messages_.erase(which);
}

}  // namespace papilio::detail
