#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/detail/early_messages.hpp>

#include <iterator>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

PAPILIO_DECL void early_messages::check(int peer, std::size_t size)
{
    const auto used = used_[peer];
    if (used <= limit_ && size <= limit_ - used) return;
    throw std::system_error(
        errc::bad_message,
        "peer " + std::to_string(peer) + " sent a message of " + std::to_string(size) +
            " bytes that no receive waits for; its early messages already hold " +
            std::to_string(used) + " of early_limit = " + std::to_string(limit_) + " bytes");
}

PAPILIO_DECL void early_messages::reserve(int peer, std::size_t size)
{
    used_[peer] += cost(size);
}

PAPILIO_DECL void early_messages::release(int peer, std::size_t size) noexcept
{
    used_[peer] -= cost(size);
}

PAPILIO_DECL void early_messages::add(address from, pooled_buffer message)
{
    messages_.emplace(from, std::move(message));
}

PAPILIO_DECL std::optional<pooled_buffer> early_messages::take(address from)
{
    const auto found = messages_.lower_bound(from);
    if (found == messages_.end() || found->first != from) return std::nullopt;
    std::optional<pooled_buffer> message(std::move(found->second));
    remove(found, message->get().size());
    return message;
}

PAPILIO_DECL void early_messages::discard_call(tag t)
{
    for (auto i = messages_.begin(); i != messages_.end();) {
        const bool of_call = call_of(i->first.second) == call_of(t);
        i = of_call ? remove(i, i->second.get().size()) : std::next(i);
    }
}

PAPILIO_DECL void early_messages::discard_peer(int peer)
{
    for (auto i = messages_.lower_bound({peer, tag{}});
         i != messages_.end() && i->first.first == peer;)
        i = remove(i, i->second.get().size());
}

PAPILIO_DECL early_messages::messages::iterator early_messages::remove(messages::iterator which,
                                                                       std::size_t size)
{
    release(which->first.first, size);
    return messages_.erase(which);
}

}  // namespace papilio::detail
