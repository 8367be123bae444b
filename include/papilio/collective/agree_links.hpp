#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/setup/misuse_of.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/transport/any_transport.hpp>

#include <optional>

namespace papilio::inline PAPILIO_MODE {

/// Exchanges the figures that peers have of their own links, and returns the same link table on all
/// peers, so that all plan the next calls alike; nothing if no link is known. `mine` is the result
/// of `link_history::tell`. Peers that contribute nothing receive the others' figures and send
/// none.
///
/// This is an all-reduce of a few numbers per peer, to which each contributes its own: all peers
/// that succeed hold the same table. A peer that does not must not make the next call by other
/// shares than the rest. If it does, that call fails on all peers before any data is used, since
/// peers compare their shares. Takes two latencies, or three where there are other roles than full
/// peers, or more than 26 of them. Of the options `timeout`, `call`, `roles` and `salvage` count:
/// with the last, links of peers that are lost meanwhile may be unknown. Throws what an all-reduce
/// does.
template <class Net>
task<std::optional<link_table>> agree_links(Net&& net, advertised_link mine,
                                            call_options options = {});

namespace detail {

task<std::optional<link_table>> run_agree_links(any_transport net, advertised_link mine,
                                                call_options options);

}  // namespace detail

template <class Net>
task<std::optional<link_table>> agree_links(Net&& net, advertised_link mine, call_options options)
{
    if constexpr (!detail::allowed<detail::misuse_of_transport<Net>()>())
        return detail::refused<std::optional<link_table>>();
    else
        return detail::run_agree_links(any_transport(net), mine, options);
}

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/collective/impl/agree_links.hpp>
#endif
