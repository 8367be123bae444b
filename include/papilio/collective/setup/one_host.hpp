#pragma once

#include <papilio/async/sleep.hpp>
#include <papilio/async/task.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/stage_choice.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

// What a call does without being asked where all of its peers share a host.
namespace papilio::inline PAPILIO_MODE::detail {

/// Whether the caller leaves it open who meets whom, in a call for which there is a choice.
inline bool leaves_stages_open(int peers, const call_options& o)
{
    return peers >= fewest_for_stages && o.radix.empty() && o.roles.empty() && o.shares.empty();
}

inline task<bool> all_share_host(any_transport net)
{
    for (int peer = 0; peer < net.size(); ++peer) {
        task<bool> one = net.shares_host(peer);
        const bool here = co_await std::move(one);
        if (!here) co_return false;
    }
    co_return true;
}

/// Whether all peers share this one's host: then each of them finds the same of all others. Known
/// once the links are there, without which no call can go on. One that is missing for half of the
/// call's time is the call's failure, which the call itself tells.
inline task<bool> on_one_host(any_transport net, call_options o)
{
    if (!leaves_stages_open(net.size(), o)) co_return false;
    const auto begin = co_await now();
    task<bool> asked = all_share_host(net);
    bool here = false;
    try {
        here = co_await timeout(std::move(asked), later(begin, o.timeout / 2));
    } catch (const std::system_error&) {
        // Whoever waits for this peer's link as well comes to the same.
    }
    co_return here;
}

/// Chooses what the caller has left open; the list of `stages` is kept by the caller of this. How
/// many messages are under way is for each peer to decide: where processes take turns, a second one
/// has left the cache before it is reduced.
inline void suit_one_host(call_options& o, std::vector<int>& stages, int peers, std::size_t bytes,
                          const call_kind& kind)
{
    stages = {peers};
    if (kind.stages_alike) stages = choose_stages(peers, bytes).radix;
    o.radix = stages;
    const auto partners = static_cast<std::size_t>(stages.front());
    if (o.chunk_bytes == 0) o.chunk_bytes = host_chunk_bytes(bytes, partners);
    const bool take_turns = static_cast<unsigned>(peers) > std::thread::hardware_concurrency();
    if (o.in_flight == 0) o.in_flight = take_turns ? 1 : default_slots_low_latency;
}

}  // namespace papilio::detail
