#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// Where a newcomer comes from: 16 bytes as of IPv6, in which IPv4 is mapped (::ffff:a.b.c.d). All
/// zeros where no network is involved.
struct network_address {
    std::array<std::uint8_t, 16> bytes{};

    /// What one subscriber usually has: an address of IPv4, the first half of one of IPv6.
    network_address subscriber() const noexcept { return first(is_v4() ? 16 : 8); }

    /// The neighbourhood: a /24 of IPv4, a /48 of IPv6.
    network_address network() const noexcept { return first(is_v4() ? 15 : 6); }

    /// Whether it is this host: loopback, or no network at all.
    bool is_local() const noexcept
    {
        constexpr std::array<std::uint8_t, 16> loopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 1};
        return (is_v4() && bytes[12] == 127) || bytes == loopback ||
               bytes == network_address{}.bytes;
    }

    friend auto operator<=>(const network_address&, const network_address&) = default;

private:
    bool is_v4() const noexcept
    {
        constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        return std::equal(mapped.begin(), mapped.end(), bytes.begin());
    }
    network_address first(std::size_t kept) const noexcept
    {
        network_address prefix;
        std::copy_n(bytes.begin(), kept, prefix.bytes.begin());
        return prefix;
    }
};

/// How many newcomers a listener bears with at a time, whose handshakes are under way.
struct arrival_limits {
    std::size_t in_all = 512;
    std::size_t silent_per_subscriber = 16;  ///< that have said no hello for `grace`
    std::size_t silent_per_network = 64;     ///< likewise; neither counts newcomers of this host
    duration grace = std::chrono::seconds(1);
};
static_assert(std::is_trivially_destructible_v<arrival_limits>);

/// Decides who has to go when too many newcomers arrive. Nobody is turned away for coming last: of
/// the most crowded network's most crowded subscriber the one goes that has been silent for
/// longest. So a newcomer that is alone at its address, and says hello soon, gets in whatever
/// crowds from elsewhere do. Pure; searches its few hundred entries one by one.
class arrivals {
public:
    using id = std::uint64_t;

    explicit arrivals(arrival_limits limits = {}) noexcept : limits_(limits) {}

    struct arrived {
        id newcomer;
        std::optional<id> victim;  ///< has been forgotten here, and is to be closed
    };

    /// Somebody new has connected.
    arrived arrive(const network_address& from, time_point now)
    {
        const entry e{next_++, from.subscriber(), from.network(), from.is_local(), true, now};
        present_.push_back(e);
        const auto victim = victim_of(e);
        if (victim) left(*victim);
        return {e.number, victim};
    }

    /// The newcomer has said hello, as a peer does. Its handshake may take a while longer.
    void spoke(id who) noexcept
    {
        const auto found = std::ranges::find(present_, who, &entry::number);
        if (found != present_.end()) found->silent = false;
    }

    /// The newcomer has gone, or is none any more.
    void left(id who) noexcept
    {
        std::erase_if(present_, [who](const entry& e) { return e.number == who; });
    }

    std::size_t present() const noexcept { return present_.size(); }

private:
    /// In the order of arrival.
    struct entry {
        id number;
        network_address subscriber;
        network_address network;
        bool local;
        bool silent;
        time_point since;
    };

    std::optional<id> victim_of(const entry& last) const
    {
        const auto all = [](const entry&) { return true; };
        const auto overdue = [&](const entry& e) {
            return e.silent && last.since - e.since >= limits_.grace;
        };
        const auto beside = [&](const entry& e) {
            return overdue(e) && e.subscriber == last.subscriber;
        };
        const auto near = [&](const entry& e) { return overdue(e) && e.network == last.network; };
        if (!last.local && count(beside) >= limits_.silent_per_subscriber) return oldest(beside);
        if (!last.local && count(near) >= limits_.silent_per_network) return oldest_of_crowd(near);
        if (present_.size() <= limits_.in_all) return std::nullopt;
        const auto crowd = most_frequent(&entry::network, all);
        return oldest_of_crowd([&](const entry& e) { return e.network == crowd; });
    }

    template <class Which>
    std::size_t count(Which which) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(present_, which));
    }

    template <class Which>
    id oldest_of_crowd(Which within) const
    {
        const auto crowd = most_frequent(&entry::subscriber, within);
        return oldest([&](const entry& e) { return within(e) && e.subscriber == crowd; });
    }

    /// The oldest that is silent, or the oldest if all have spoken.
    template <class Which>
    id oldest(Which which) const
    {
        const auto silent = [&](const entry& e) { return e.silent && which(e); };
        const auto first = std::ranges::find_if(present_, silent);
        return first != present_.end() ? first->number
                                       : std::ranges::find_if(present_, which)->number;
    }

    /// The address that most entries `within` share; of several, the one that was there first.
    template <class Which>
    network_address most_frequent(network_address entry::*of, Which within) const
    {
        std::vector<network_address> all;
        for (const auto& e : present_)
            if (within(e)) all.push_back(e.*of);
        auto sorted = all;
        std::ranges::sort(sorted);
        return *std::ranges::max_element(all, {}, [&](const network_address& a) {
            return std::ranges::size(std::ranges::equal_range(sorted, a));
        });
    }

    arrival_limits limits_;
    std::vector<entry> present_;
    id next_ = 0;
};

}  // namespace papilio
