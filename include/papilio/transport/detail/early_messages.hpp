#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <map>
#include <optional>
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
    void check(int peer, std::size_t size);

    /// Charges the cost of `size` bytes to `peer`.
    void reserve(int peer, std::size_t size);

    /// Gives back what was reserved for `size` bytes that are not stored after all.
    void release(int peer, std::size_t size) noexcept;

    /// Stores a message, whose cost has been reserved, behind those of the same address.
    void add(address from, pooled_buffer message);

    /// Takes out the oldest message of an address, if there is one.
    std::optional<pooled_buffer> take(address from);

    /// Destroys the messages of the call that `t` belongs to.
    void discard_call(tag t);

    /// Destroys the messages from `peer`.
    void discard_peer(int peer);

private:
    using messages = std::multimap<address, pooled_buffer>;

    messages::iterator remove(messages::iterator which, std::size_t size);

    std::size_t limit_;
    messages messages_;
    std::map<int, std::size_t> used_;  // by peer, in bytes
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/early_messages.hpp>
#endif
