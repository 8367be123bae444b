#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/transport/detail/lent_message.hpp>
#include <papilio/transport/detail/receive_windows.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// A message that nobody has received yet: its bytes, or what says where they are.
struct kept_message {
    pooled_buffer memory;
    lent_ptr lent = nullptr;

    /// What it costs is that of these bytes.
    bytes get() const noexcept { return memory.get(); }
};

/// Messages that arrived before a receive was posted for them. What they cost is accounted for by
/// the windows of their senders.
class early_messages {
public:
    using address = std::pair<int, tag>;  // the sender, and the tag

    explicit early_messages(receive_windows& windows) noexcept : windows_(windows) {}

    /// A message begins to arrive, and its cost has been accounted for.
    void begin(address from, std::size_t size)
    {
        arriving_.push_back(from);
        held_ += wire::early_cost(size);
        most_held_ = std::max(most_held_, held_);
    }

    /// A message that has begun has come, or will not.
    void arrived(address from) { arriving_.erase(std::ranges::find(arriving_, from)); }

    /// How many messages of an address have begun to arrive.
    std::size_t arriving(address from) const noexcept
    {
        return static_cast<std::size_t>(std::ranges::count(arriving_, from));
    }

    /// A message of `size` bytes from `peer` that has begun is not kept any more.
    void end(int peer, std::size_t size)
    {
        held_ -= wire::early_cost(size);
        windows_.consumed(peer, size);
    }

    /// Stores a message that has begun behind those of the same address.
    void add(address from, kept_message message);

    /// Takes out the oldest message of an address, if there is one.
    std::optional<kept_message> take(address from);

    /// Destroys the messages of the call that `t` belongs to.
    void discard_call(tag t);

    /// The same of those from `peer`.
    void discard_call(int peer, tag t);

    /// The same of all but what tells how the call has ended for `peer`: a vote that says no, or an
    /// answer.
    void discard_all_but_end(int peer, tag t);

    /// Destroys what concerns later views of the call that `t` belongs to. Returns where it was.
    std::vector<address> discard_later_views(tag t);

    /// Destroys the messages from `peer`.
    void discard_peer(int peer);

    /// Whether one tells of the views of the call that `t` belongs to.
    bool any_of_views(tag t) const;

    /// The most that the messages have ever cost, with those among them that are arriving.
    std::size_t most_held() const noexcept { return most_held_; }

private:
    using messages = std::multimap<address, kept_message>;

    template <class Which>
    void discard(messages::iterator from, messages::iterator to, Which which);
    template <class Which>
    void discard_of_call(int peer, tag t, Which which);
    messages::iterator remove(messages::iterator which, std::size_t size);

    receive_windows& windows_;
    messages messages_;
    std::vector<address> arriving_;  // one for each stream at most
    std::size_t later_views_ = 0;    // how many messages concern them
    std::size_t held_ = 0;
    std::size_t most_held_ = 0;
};

}  // namespace papilio::detail

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/transport/impl/early_messages.hpp>
#endif
