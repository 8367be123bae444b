#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/link_history.hpp>

#include <optional>
#include <span>
#include <vector>

namespace papilio {

/// Tells everybody what everybody knows of its own link, so that all can plan the next calls by the
/// same figures; nothing where nobody knows anything. `mine` is what `link_history::tell` says;
/// peers that contribute nothing are told the others' figures and tell none.
///
/// It is an all-reduce of a few numbers per peer, in which each fills in its own, with all that an
/// all-reduce promises: whoever succeeds holds the same table, and a peer that does not must not
/// make the next call by other shares than the rest. If it does, that call fails on all peers
/// before any data is used, for shares are part of what peers check of each other. Takes two
/// latencies, or three where there are other roles than full peers, or more than 26 of them. Of the
/// options `timeout`, `call` and `roles` count. Throws what an all-reduce does.
template <transport Net>
task<std::optional<link_table>> agree_links(Net& net, told_link mine, call_options options = {});

namespace detail {

inline task<std::optional<link_table>> agree_links_any(any_transport net, told_link mine,
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
    co_await all_reduce(net, tells ? in : in.first(0), std::span(all), sum{}, identity{}, o);

    std::vector<told_link> told(peers);
    for (std::size_t i = 0; i < peers; ++i)
        told[i] = {all[i * figures], all[i * figures + 1], all[i * figures + 2]};
    co_return table_of(told);
}

}  // namespace detail

template <transport Net>
task<std::optional<link_table>> agree_links(Net& net, told_link mine, call_options options)
{
    return detail::agree_links_any(any_transport(net), mine, options);
}

}  // namespace papilio
