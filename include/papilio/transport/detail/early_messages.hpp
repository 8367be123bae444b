#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Messages that arrived before a receive was posted for them. They may hold a limited amount of
/// memory per sender, which is checked before anything is allocated and reserved before a message
/// is stored.
class early_messages {
public:
    using address = std::pair<int, tag>;  // the sender, and the tag

    explicit early_messages(std::size_t limit) noexcept : limit_(limit) {}

    /// The share of the limit that a message of `size` bytes takes. The constant stands for
    /// bookkeeping, so that empty messages count as well.
    static constexpr std::size_t cost(std::size_t size) noexcept
    {
        return pooled_buffer::held(size) + 128;
    }

    /// Throws `errc::bad_message` if another `size` bytes from `peer` exceed the limit.
    void check(int peer, std::size_t size)
    {
        const auto used = used_[peer];
        if (used <= limit_ && size <= limit_ - used) return;
        throw std::system_error(
            errc::bad_message,
            "peer " + std::to_string(peer) + " sent a message of " + std::to_string(size) +
                " bytes that no receive waits for; its early messages already hold " +
                std::to_string(used) + " of early_limit = " + std::to_string(limit_) + " bytes");
    }

    /// Charges the cost of `size` bytes to `peer`.
    void reserve(int peer, std::size_t size) { used_[peer] += cost(size); }

    /// Gives back what was reserved for `size` bytes that are not stored after all.
    void release(int peer, std::size_t size) noexcept { used_[peer] -= cost(size); }

    /// Stores a message, whose cost has been reserved, behind those of the same address.
    void add(address from, pooled_buffer message) { messages_.emplace(from, std::move(message)); }

    /// Takes out the oldest message of an address, if there is one.
    std::optional<pooled_buffer> take(address from)
    {
        const auto found = messages_.lower_bound(from);
        if (found == messages_.end() || found->first != from) return std::nullopt;
        std::optional<pooled_buffer> message(std::move(found->second));
        remove(found, message->get().size());
        return message;
    }

    /// Destroys the messages of the call that `t` belongs to.
    void discard_call(tag t)
    {
        for (auto i = messages_.begin(); i != messages_.end();) {
            const bool of_call = call_of(i->first.second) == call_of(t);
            i = of_call ? remove(i, i->second.get().size()) : std::next(i);
        }
    }

private:
    using messages = std::multimap<address, pooled_buffer>;

    messages::iterator remove(messages::iterator which, std::size_t size)
    {
        release(which->first.first, size);
        return messages_.erase(which);
    }

    std::size_t limit_;
    messages messages_;
    std::map<int, std::size_t> used_;  // by peer, in bytes
};

}  // namespace papilio::detail
