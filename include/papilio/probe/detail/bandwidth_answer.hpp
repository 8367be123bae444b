#pragma once

#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/probe/detail/bandwidth_request.hpp>
#include <papilio/probe/detail/probe_stream.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/wire/control.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

// One measurement of bandwidth, on the side of the peer that is measured.
namespace papilio::inline PAPILIO_MODE::detail {

template <transport Net>
task<> send_stream(Net& net, int peer, bandwidth_request r, bulk_watch& watch)
{
    stream_source source(keystream(r.key, r.request));
    co_await send_bulk<Net>(net, peer, r.plan_up(), source, watch);
}

template <transport Net>
task<> discard_stream(Net& net, int peer, bandwidth_request r, bulk_watch& watch)
{
    discarding_sink sink;
    co_await receive_bulk<Net>(net, peer, r.plan_down(), sink, watch);
}

template <transport Net>
task<> answer_bandwidth(Net& net, int peer, bandwidth_request r, bool accepts, bulk_watch& watch)
{
    const std::array<std::byte, 1> answer{std::byte{accepts}};
    co_await net.send(peer, control_tag(control_service::bandwidth, r.request, 0), answer);
    if (!accepts) co_return;
    std::vector<task<>> ways;
    if (r.down.chunks > 0) ways.push_back(discard_stream<Net>(net, peer, r, watch));
    if (r.up.chunks > 0) ways.push_back(send_stream<Net>(net, peer, r, watch));
    co_await when_all(std::move(ways));
}

}  // namespace papilio::detail
