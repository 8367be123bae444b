#pragma once

#include <papilio/base/config.hpp>
#include <papilio/plan/balance.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/cost.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/plan/schedule.hpp>
#include <papilio/plan/traffic_count.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// The cheapest way to do an all-reduce over known links. Pure functions of facts: peers that hold
// the same link table choose alike.
namespace papilio::inline PAPILIO_MODE {

/// What a caller has decided already; the rest is chosen.
struct overrides {
    std::optional<std::vector<int>> radix = {};
    std::optional<std::vector<double>> shares = {};
    std::size_t chunk_bytes = 0;
    std::size_t in_flight = 0;
    std::size_t streams = 0;
    /// With a lossy codec: 2 leaves only the direct exchange. Does not touch a `radix` given above.
    int max_roundings = 1'000;
};

struct choice {
    schedule how = {};
    prediction expected = {};
    std::string reasons = {};  ///< a line for the choice, and one for each of the next best
};

/// The schedule that is predicted to be the fastest, of all radix vectors and of equal and balanced
/// parts; of nearly equals (within 3 %) the one of fewer stages, then of equal parts. Peers are
/// taken in the order of their ranks: those of a site should be neighbours. Chunks and how many are
/// in flight are left to the engine where the latency is not known, or there is little to send.
choice choose(const link_table& links, const workload& work, const overrides& decided = {});

/// All ordered ways to write `peers` as a product of up to `most` factors of 2 or more.
std::vector<std::vector<int>> radix_vectors(int peers, std::size_t most = 4);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// What the fastest peer can move to and from each of those it meets, if it meets so many.
inline double fastest_pair(const link_table& links, int partners)
{
    double fastest = 0;
    for (const auto& a : links.access) fastest = std::max({fastest, a.up, a.down});
    return fastest / std::max(1, partners - 1);
}

/// As many streams as carry that, and no more than 16.
inline std::size_t enough_streams(const link_table& links, int partners)
{
    if (links.stream_rate == 0) return 1;
    const double wanted = std::ceil(fastest_pair(links, partners) / links.stream_rate);
    return static_cast<std::size_t>(std::clamp(wanted, 1.0, 16.0));
}

/// What should be on the way from one peer to another at a time: what travels until the credit for
/// the next message is back, twice, since others have to be waited for, and beside that what 30 ms
/// take, or 512 KiB, so that a link is never idle while its host does something else. More than
/// that lets one stream run ahead of another, and then the last one ends alone.
inline double window_bytes(const link_table& links, const traffic_count& traffic)
{
    constexpr double max_aside = 512 << 10;
    const double per_pair = fastest_pair(links, traffic.partners());
    const double there_and_back = 2 * traffic.stages() * links.latency_seconds;
    const double window = per_pair * 2 * there_and_back + std::min(per_pair * 0.03, max_aside);
    return std::min(window, static_cast<double>(largest_window));
}

/// Fits chunks, and how many of them are in flight, to the links: four chunks or more in a window.
/// Halves and doubles, so that a rate a little different gives the same.
inline void fit_chunks(schedule& how, const link_table& links, const workload& work)
{
    if (links.latency_seconds == 0 || goes_to_all(how, links, work)) return;
    const traffic_count traffic(links, work, how);
    const double window = window_bytes(links, traffic) / work.wire_ratio;
    if (how.chunk_bytes == 0) {
        const auto most =
            default_chunk_bytes(work.bytes, static_cast<std::size_t>(traffic.partners()));
        how.chunk_bytes = 16 << 10;
        while (2 * how.chunk_bytes <= most && 8 * static_cast<double>(how.chunk_bytes) <= window)
            how.chunk_bytes *= 2;
    }
    const auto chunk = static_cast<double>(how.chunk_bytes);
    if (how.in_flight == 0)
        how.in_flight = static_cast<std::size_t>(std::clamp(std::ceil(window / chunk), 2.0, 256.0));
}

inline std::string product_text(const std::vector<int>& radix, std::size_t peers)
{
    std::string text = "[";
    for (const int r : radix) text += (text.size() > 1 ? "," : "") + std::to_string(r);
    return text + (radix.empty() ? std::to_string(peers) : "") + "]";
}

inline std::string line_about(const schedule& how, const prediction& p, std::size_t peers)
{
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "%.4g s, %.2f of the bound; ", p.seconds,
                  p.seconds > 0 ? p.bound_seconds / p.seconds : 1.0);
    return product_text(how.radix, peers) +
           (how.shares.empty() ? ", equal parts: " : ", balanced parts: ") + numbers +
           p.limited_by + '\n';
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline std::vector<std::vector<int>> radix_vectors(int peers, std::size_t most)
{
    if (peers < 2) return {{}};
    std::vector<std::vector<int>> found{{peers}};
    if (most < 2) return found;
    for (int first = 2; first <= peers / 2; ++first) {
        if (peers % first != 0) continue;
        for (auto& rest : radix_vectors(peers / first, most - 1)) {
            rest.insert(rest.begin(), first);
            found.push_back(std::move(rest));
        }
    }
    return found;
}

inline choice choose(const link_table& links, const workload& work, const overrides& decided)
{
    const double bound = detail::bound_seconds(links, work);
    const auto n = links.access.size();
    const auto radices = decided.radix ? std::vector<std::vector<int>>{*decided.radix}
                                       : radix_vectors(static_cast<int>(n));
    std::vector<std::vector<double>> parts{{}};
    if (decided.shares)
        parts = {*decided.shares};
    else if (auto balanced = worthwhile_shares(links.access); !balanced.empty())
        parts.push_back(std::move(balanced));

    std::vector<std::pair<schedule, prediction>> all;
    for (const auto& radix : radices)
        for (const auto& shares : parts) {
            schedule how{radix, shares, decided.chunk_bytes, decided.in_flight, decided.streams};
            if (how.streams == 0)
                how.streams =
                    detail::enough_streams(links, butterfly(static_cast<int>(n), radix).radix(0));
            auto p = detail::predict_within(bound, links, work, how);
            const bool open = !decided.radix && radix.size() > 1;
            if (open && p.roundings > decided.max_roundings) continue;
            all.emplace_back(std::move(how), std::move(p));
        }
    // Few stages and equal parts come first; others have to be worth it.
    std::ranges::sort(all, {}, [](const auto& c) {
        return std::tuple(c.first.radix.size(), !c.first.shares.empty(), c.first.radix);
    });
    const auto fastest =
        std::ranges::min_element(all, {}, [](const auto& c) { return c.second.seconds; });
    const auto chosen = std::ranges::find_if(
        all, [&](const auto& c) { return c.second.seconds <= 1.03 * fastest->second.seconds; });

    choice c{chosen->first, chosen->second, detail::line_about(chosen->first, chosen->second, n)};
    detail::fit_chunks(c.how, links, work);
    all.erase(chosen);
    std::ranges::sort(all, {}, [](const auto& other) {
        return std::tuple(other.second.seconds, other.first.radix, !other.first.shares.empty());
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 3); ++i)
        c.reasons += "rather than " + detail::line_about(all[i].first, all[i].second, n);
    return c;
}

}  // namespace papilio
