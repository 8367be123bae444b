#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/setup/misuse_of.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/transport/any_transport.hpp>

#include <optional>

namespace papilio::inline PAPILIO_MODE {

/// Tells everybody what everybody knows of its own link, so that all can plan the next calls by the
/// same figures; nothing where nobody knows anything. `mine` is what `link_history::tell`
/// says; peers that contribute nothing are told the others' figures and tell none.
///
/// It is an all-reduce of a few numbers per peer, in which each fills in its own, with all that an
/// all-reduce promises: whoever succeeds holds the same table, and a peer that does not must not
/// make the next call by other shares than the rest. If it does, that call fails on all peers
/// before any data is used, for shares are part of what peers check of each other. Takes two
/// latencies, or three where there are other roles than full peers, or more than 26 of them. Of the
/// options `timeout`, `call` and `roles` count. Throws what an all-reduce does.
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
