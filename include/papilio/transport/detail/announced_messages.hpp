#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <system_error>
#include <utility>

namespace papilio::inline PAPILIO_MODE::detail {

/// Messages that wait at their senders until they are asked for. Pure.
class announced_messages {
public:
    using address = std::pair<int, tag>;  // the sender, and the tag

    struct announced {
        std::uint64_t number = 0;
        std::size_t size = 0;
        bool granted = false;
    };

    /// How many of an address have been granted, and the first that has not, if there is one.
    struct standing {
        std::size_t granted = 0;
        announced* next = nullptr;
    };

    bool empty() const noexcept { return messages_.empty(); }

    /// A peer that announces more than `wire::max_announced` breaks the protocol:
    /// `errc::bad_message`.
    void add(address from, std::uint64_t number, std::size_t size)
    {
        if (!messages_.emplace(key(from, number), announced{number, size}).second) return;
        if (++counts_[from.first] > wire::max_announced)
            throw std::system_error(errc::bad_message,
                                    "peer " + std::to_string(from.first) + " announced more than " +
                                        std::to_string(wire::max_announced) + " messages");
    }

    void remove(address from, std::uint64_t number)
    {
        const auto found = messages_.find({from, number});
        if (found != messages_.end()) erase(found);
    }

    /// Whether a message that begins to arrive was asked for. It is not announced any more.
    bool take_granted(address from, std::size_t size)
    {
        for (auto at = first(from); is_of(at, from) && at->second.granted; ++at) {
            if (at->second.size != size) continue;
            erase(at);
            return true;
        }
        return false;
    }

    /// They are granted in order, so that those that are come first.
    standing of(address from)
    {
        standing s;
        auto at = first(from);
        for (; is_of(at, from) && at->second.granted; ++at) ++s.granted;
        if (is_of(at, from)) s.next = &at->second;
        return s;
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
        --counts_[at->first.first.first];
        return messages_.erase(at);
    }

    messages messages_;
    std::map<int, std::size_t> counts_;  // by peer
};

}  // namespace papilio::detail
