#pragma once

#include <papilio/base/config.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/columns.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// The stages of an all-reduce whose peers share a host. There no link is slow, and what a call
// costs is the processor's time: for messages, for being woken, for copies. Pure functions of what
// all peers of a call know alike, so that they choose alike.
namespace papilio::inline PAPILIO_MODE {

/// What a peer's processor spends, in seconds. Constants, since figures that each host measures
/// would differ from peer to peer; docs/design/performance.md says how they were measured.
struct message_costs {
    double message = 10e-6;   ///< to send a message and to receive another
    double step = 7e-6;       ///< to be woken when what a step waits for has come
    double copied = 0.06e-9;  ///< a byte copied into or out of a message about several parts
};

struct stage_choice {
    std::vector<int> radix;    ///< of the butterfly; one factor: everybody meets everybody
    double seconds = 0;        ///< of one peer's processor
    std::string reasons = {};  ///< a line for the choice, and one for each of the next best
};

/// From so many peers on there is a choice: among fewer, everybody meets everybody.
inline constexpr int fewest_for_stages = 8;

/// The stages that cost each peer's processor the least time for `size` bytes; of nearly equals
/// (within 3 %) the fewest. `reasons` are left out unless asked for: each call chooses.
stage_choice choose_stages(int peers, std::size_t size, bool with_reasons = false,
                           const message_costs& costs = {});

/// What an all-reduce of `size` bytes over these stages costs a peer's processor, in seconds.
double stage_seconds(const std::vector<int>& radix, std::size_t size,
                     const message_costs& costs = {});

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// All ways to write `peers` as a product of factors from 2 to `largest`, the largest first, behind
/// the factors in `before`.
inline void add_products(int peers, int largest, std::vector<int>& before,
                         std::vector<std::vector<int>>& to)
{
    if (peers == 1) return to.push_back(before);
    for (int factor = std::min(peers, largest); factor >= 2; --factor) {
        if (peers % factor != 0) continue;
        before.push_back(factor);
        add_products(peers / factor, factor, before, to);
        before.pop_back();
    }
}

inline std::string line_about(const std::vector<int>& radix, double seconds)
{
    std::string text = "[";
    for (const int r : radix) text += (text.size() > 1 ? "," : "") + std::to_string(r);
    char number[48];
    std::snprintf(number, sizeof number, "]: %.3g ms of each peer's processor\n", seconds * 1e3);
    return text + number;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline double stage_seconds(const std::vector<int>& radix, std::size_t size,
                            const message_costs& costs)
{
    const auto total = static_cast<double>(size);
    int peers = 1, partners = 0;
    double packed = 0;
    for (std::size_t k = 0; k < radix.size(); ++k) {
        // Contributions are packed and results unpacked, and packed where they come from.
        if (k + 1 < radix.size()) packed += total / peers * (2 - 1.0 / radix[k]);
        peers *= radix[k];
        partners += radix[k] - 1;
    }
    const auto first = static_cast<std::size_t>(radix.front());
    const auto chunk = host_chunk_bytes(size, first);
    const bool small = radix.size() == 1 && is_small(size, first);
    const auto columns = static_cast<double>(columns_for(size / first, 1, chunk));
    const double messages = partners * (small ? 2 : 2 * columns + 1);
    const double steps = small ? 2 : 3.0 * static_cast<double>(radix.size());
    return messages * costs.message + steps * costs.step + packed * costs.copied;
}

inline stage_choice choose_stages(int peers, std::size_t size, bool with_reasons,
                                  const message_costs& costs)
{
    std::vector<std::vector<int>> products;
    std::vector<int> none;
    if (peers < 2)
        products = {{peers}};
    else
        detail::add_products(peers, peers, none, products);

    std::vector<std::pair<double, std::vector<int>>> all;
    for (auto& radix : products) {
        const double seconds = stage_seconds(radix, size, costs);
        all.emplace_back(seconds, std::move(radix));
    }
    std::ranges::sort(all, {}, [](const auto& c) { return std::tuple(c.second.size(), c.first); });
    double least = all.front().first;
    for (const auto& c : all) least = std::min(least, c.first);
    const auto chosen =
        std::ranges::find_if(all, [&](const auto& c) { return c.first <= 1.03 * least; });
    stage_choice c{chosen->second, chosen->first};
    if (!with_reasons) return c;

    c.reasons = detail::line_about(c.radix, c.seconds);
    all.erase(chosen);
    std::ranges::sort(all);
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 3); ++i)
        c.reasons += "rather than " + detail::line_about(all[i].second, all[i].first);
    return c;
}

}  // namespace papilio
