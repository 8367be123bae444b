#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// The shares of the data that peers should own, for a direct all-reduce to end as early as their
/// links allow: fast peers own more, so that all links are busy until the end, and a peer too slow
/// to move more than its own contribution owns nothing. A client's share is zero, an auxiliary's is
/// what its link carries beside the others'.
///
/// Whoever owns a share w of S bytes and contributes, as n - 1 others do, sends and receives
/// S (1 + (n - 2) w), and an auxiliary, which declines the parts of others, S n w; the slower
/// direction of its link counts. The shares fill all links to the same level (water-filling), which
/// no other shares of a direct all-reduce can beat. `rates` are by rank, positive, in any unit;
/// throws `errc::bad_argument` when they are not.
inline std::vector<double> balanced_shares(std::span<const access_rate> rates,
                                           std::span<const role> roles = {});

/// The same where that saves a twentieth of the time that equal parts would take; else nothing,
/// which is to say equal parts: figures are never quite equal, and parts should not follow every
/// breath.
inline std::vector<double> worthwhile_shares(std::span<const access_rate> rates,
                                             std::span<const role> roles = {});

/// Seconds per byte of data until the last link of a direct all-reduce falls quiet, when parts are
/// in proportion to `shares`; empty: equal among all that reduce.
inline double direct_seconds_per_byte(std::span<const access_rate> rates,
                                      std::span<const role> roles, std::span<const double> shares);

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// The level, in seconds per byte of data, to which `n` contributors' traffic rises. `full` holds
/// the rates of the full peers, fastest first, and only the first few of these own anything;
/// `auxiliary` is the sum of the auxiliaries'.
inline double water_level(std::span<const double> full, double auxiliary, std::size_t n)
{
    const double others = static_cast<double>(n) - 2;
    const double beside = others / static_cast<double>(n) * auxiliary;
    double level = auxiliary > 0 ? others / beside : 0;
    double together = 0;
    for (std::size_t owners = 1; owners <= full.size(); ++owners) {
        together += full[owners - 1];
        const double with = (others + static_cast<double>(owners)) / (together + beside);
        level = owners == 1 && auxiliary == 0 ? with : std::min(level, with);
    }
    return level;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

inline std::vector<double> balanced_shares(std::span<const access_rate> rates,
                                           std::span<const role> roles)
{
    if (!roles.empty() && roles.size() != rates.size())
        throw detail::bad_length("balanced_shares: roles", roles.size(), rates.size());
    const auto role_of = [&](std::size_t i) { return roles.empty() ? role::full : roles[i]; };
    std::size_t n = 0;
    double auxiliary = 0;
    std::vector<double> rate(rates.size()), full;
    for (std::size_t i = 0; i < rates.size(); ++i) {
        rate[i] = std::min(rates[i].up, rates[i].down);
        if (!(rate[i] > 0))
            throw detail::bad_value("the lower rate of peer " + std::to_string(i), "above 0",
                                    rate[i]);
        if (contributes(role_of(i))) ++n;
        if (role_of(i) == role::full) full.push_back(rate[i]);
        if (role_of(i) == role::auxiliary) auxiliary += rate[i];
    }
    std::ranges::sort(full, [](double a, double b) { return a > b; });

    // Two contributors each send and receive the data once, whoever owns what.
    const bool even = n <= 2 && !full.empty();
    const double level = even || full.empty() ? 0 : detail::water_level(full, auxiliary, n);
    std::vector<double> shares(rates.size(), 0.0);
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const bool owns = reduces(role_of(i));
        if (even)
            shares[i] = role_of(i) == role::full ? 1 : 0;
        else if (full.empty())
            shares[i] = owns ? rate[i] : 0;
        else if (role_of(i) == role::auxiliary)
            shares[i] = level * rate[i] / static_cast<double>(n);
        else if (owns)
            shares[i] = std::max(0.0, (level * rate[i] - 1) / static_cast<double>(n - 2));
    }
    return shares;
}

inline double direct_seconds_per_byte(std::span<const access_rate> rates,
                                      std::span<const role> roles, std::span<const double> shares)
{
    const auto role_of = [&](std::size_t i) { return roles.empty() ? role::full : roles[i]; };
    double n = 0, whole = 0, longest = 0;
    const auto share = [&](std::size_t i) {
        if (!reduces(role_of(i))) return 0.0;
        return shares.empty() ? 1.0 : shares[i];
    };
    for (std::size_t i = 0; i < rates.size(); ++i) {
        if (contributes(role_of(i))) n += 1;
        whole += share(i);
    }
    for (std::size_t i = 0; i < rates.size(); ++i) {
        const double w = whole > 0 ? share(i) / whole : 0;
        const double moved = contributes(role_of(i)) ? 1 + (n - 2) * w : n * w;
        longest = std::max(longest, moved / std::min(rates[i].up, rates[i].down));
    }
    return longest;
}

inline std::vector<double> worthwhile_shares(std::span<const access_rate> rates,
                                             std::span<const role> roles)
{
    auto shares = balanced_shares(rates, roles);
    const double balanced = direct_seconds_per_byte(rates, roles, shares);
    const double equal = direct_seconds_per_byte(rates, roles, {});
    if (balanced > 0.95 * equal) shares.clear();
    return shares;
}

}  // namespace papilio
