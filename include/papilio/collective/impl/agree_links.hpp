#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/log.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/agree_links.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

inline void log_agreed(std::uint32_t call, int rank, const std::vector<advertised_link>& told)
{
    const auto known_links = [&] {
        return std::ranges::count_if(told, [](const auto& l) { return l.up > 0 || l.down > 0; });
    };
    log(log_level::debug, "links agreed", {"call", "rank", "known"}, call, rank, known_links);
}

PAPILIO_DECL task<std::optional<link_table>> run_agree_links(any_transport net,
                                                             advertised_link mine,
                                                             call_options options)
{
    constexpr std::size_t figures = 3;
    const auto peers = static_cast<std::size_t>(net.size());
    const auto rank = static_cast<std::size_t>(net.rank());
    const bool tells =
        options.roles.size() != peers || contributes(options.roles[rank]);  // checked by the call
    std::vector<double> rows(peers * figures), all(peers * figures);
    rows[rank * figures] = known(mine.up, min_rate);
    rows[rank * figures + 1] = known(mine.down, min_rate);
    rows[rank * figures + 2] = known(mine.latency_seconds, 0);
    const std::span<const double> in(rows);

    call_options o;
    o.timeout = options.timeout;
    o.call = options.call;
    o.roles = options.roles;
    o.salvage = options.salvage;
    o.auxiliaries_receive = true;
    const report done =
        co_await all_reduce(net, tells ? in : in.first(0), std::span(all), sum{}, identity{}, o);

    std::vector<advertised_link> told(peers);
    for (std::size_t i = 0; i < peers; ++i)
        told[i] = {all[i * figures], all[i * figures + 1], all[i * figures + 2]};
    log_agreed(done.call, net.rank(), told);
    co_return table_of(told);
}

}  // namespace papilio::detail
