#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Messages that wait at their senders until they are asked for. An announcement lasts, in the
/// order of its tag, until the message comes or is withdrawn, and is answered once. Pure.
class announced_messages {
public:
    using address = std::pair<int, tag>;  // the sender, and the tag

    enum class state {
        unanswered,
        granted,  // a receive waits for it
        spare,    // granted, and a receive that waited was dropped: it may find none
        refused,  // it was too large for its receive
    };

    struct announced {
        std::uint64_t number = 0;
        std::size_t size = 0;
        state is = state::unanswered;

        bool granted() const noexcept { return is == state::granted || is == state::spare; }
    };

    /// How many of an address have been granted, and the first that is unanswered, if there is one.
    struct standing {
        std::size_t granted = 0;
        announced* next = nullptr;
    };

    bool empty() const noexcept { return messages_.empty(); }

    /// A peer breaks the protocol, `errc::bad_message`, whose numbers do not rise under a tag, or
    /// of whose announcements more than `wire::max_announced` are unanswered.
    void add(address from, std::uint64_t number, std::size_t size)
    {
        if (is_of(messages_.lower_bound({from, number}), from))
            throw std::system_error(
                errc::bad_message, "peer " + std::to_string(from.first) + " announced message " +
                                       std::to_string(number) + " after a later one under its tag");
        messages_.emplace(key(from, number), announced{number, size});
        if (++unanswered_[from.first] > wire::max_announced)
            throw std::system_error(errc::bad_message,
                                    "peer " + std::to_string(from.first) + " announced more than " +
                                        std::to_string(wire::max_announced) + " messages");
    }

    /// It is withdrawn. Returns what it was.
    std::optional<announced> remove(address from, std::uint64_t number)
    {
        return remove(messages_.find({from, number}));
    }

    /// A message of `size` bytes begins to arrive. Returns its announcement, if it had one, which
    /// is the first of its tag.
    std::optional<announced> take(address from, std::size_t size)
    {
        const auto at = first(from);
        return is_of(at, from) && at->second.size == size ? remove(at) : std::nullopt;
    }

    /// They are answered in order, so that those that are come first.
    standing of(address from)
    {
        standing s;
        auto at = first(from);
        for (; is_of(at, from) && at->second.is != state::unanswered; ++at)
            s.granted += at->second.granted();
        if (is_of(at, from)) s.next = &at->second;
        return s;
    }

    /// `m`, of `of(from)`, is answered.
    void answer(address from, announced& m, state as)
    {
        m.is = as;
        --unanswered_[from.first];
    }

    /// A receive was dropped, and `left` of its address still wait: they are for the first that
    /// have been granted, and any behind them may find none.
    void dropped(address from, std::size_t left)
    {
        for (auto at = first(from); is_of(at, from) && at->second.is != state::unanswered; ++at) {
            if (!at->second.granted()) continue;
            if (left == 0) at->second.is = state::spare;
            left -= left > 0;
        }
    }

    /// Whether there is one for which `which(from, message)`.
    template <class Which>
    bool any_of(Which which) const
    {
        return std::ranges::any_of(messages_,
                                   [&](const auto& m) { return which(m.first.first, m.second); });
    }

    /// Removes those for which `which(from, message)`, in order.
    template <class Which>
    void remove_if(Which which)
    {
        for (auto at = messages_.begin(); at != messages_.end();)
            at = which(at->first.first, at->second) ? erase(at) : std::next(at);
    }

private:
    using key = std::pair<address, std::uint64_t>;  // the number: they wait in this order
    using messages = std::map<key, announced>;

    messages::iterator first(address from) { return messages_.lower_bound({from, 0}); }
    bool is_of(messages::iterator at, address from) const
    {
        return at != messages_.end() && at->first.first == from;
    }

    messages::iterator erase(messages::iterator at)
    {
        if (at->second.is == state::unanswered) --unanswered_[at->first.first.first];
        return messages_.erase(at);
    }
    std::optional<announced> remove(messages::iterator at)
    {
        if (at == messages_.end()) return std::nullopt;
        const auto was = at->second;
        erase(at);
        return was;
    }

    messages messages_;
    std::map<int, std::size_t> unanswered_;  // by peer
};

}  // namespace papilio::detail
