#pragma once

#include <papilio/async/when_all.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/random.hpp>
#include <papilio/base/saturate.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/probe/detail/bandwidth_request.hpp>
#include <papilio/probe/detail/measurement_log.hpp>
#include <papilio/probe/detail/probe_stream.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/transport/detail/request.hpp>
#include <papilio/wire/control.hpp>
#include <papilio/wire/request.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// One measurement of bandwidth, on the side that measures.
namespace papilio::inline PAPILIO_MODE::detail {

/// Of the bytes, the part under way at a time.
inline constexpr std::uint32_t probe_window_share = 8;

/// Bytes per second after the first quarter: the median of so many stretches of as many chunks.
inline double rate_of(const std::vector<time_point>& times, std::size_t stretches)
{
    const auto begin = times.size() / 4;
    const auto chunks = (times.size() - 1 - begin) / stretches;
    std::vector<double> rates;
    for (auto from = begin; rates.size() < stretches; from += chunks) {
        // The last stretch takes the remainder of the division.
        const auto to = rates.size() + 1 == stretches ? times.size() - 1 : from + chunks;
        const auto span = std::max<duration>(times[to] - times[from], duration(1));
        const auto moved = static_cast<double>((to - from) * probe_chunk);
        rates.push_back(moved * 1e9 / static_cast<double>(span.count()));
    }
    std::ranges::sort(rates);
    return (rates[(stretches - 1) / 2] + rates[stretches / 2]) / 2;
}

/// The bytes to move at the same time to the peer and from it; either may be zero.
struct bandwidth_measurement {
    secret_key secret;
    std::size_t down = 0, up = 0;
    std::size_t stretches = 1;
    duration stall_timeout{};
    time_point deadline{};

    bandwidth_way way(std::size_t size) const noexcept
    {
        if (size == 0) return {};
        const auto chunks = static_cast<std::uint32_t>((size + probe_chunk - 1) / probe_chunk);
        const auto share = static_cast<std::uint32_t>(probe_window_share * stretches);
        return {chunks, std::clamp<std::uint32_t>(chunks / share, 1, max_probe_window)};
    }
};

/// The bytes of a measurement, and the times at which chunks of them had arrived.
struct measured_streams {
    keystream down, up;
    std::vector<time_point> down_times, up_times;
};

template <transport Net>
task<> agree_bandwidth(Net& net, int peer, bandwidth_request r)
{
    const auto message = encode(r);
    co_await net.send(peer, request_tag(control_service::bandwidth), message);
    std::array<std::byte, 1> answer{};
    const auto size =
        co_await net.recv(peer, control_tag(control_service::bandwidth, r.request, 0), answer);
    if (size != 1 || answer[0] != std::byte{1})
        throw std::system_error(
            errc::refused,
            "peer " + std::to_string(peer) + " declines to be measured with " +
                std::to_string(std::uint64_t{std::max(r.down.chunks, r.up.chunks)} * probe_chunk) +
                " bytes one way");
}

template <transport Net>
task<> move_down(Net& net, int peer, bandwidth_request r, measured_streams& s, bulk_watch& watch)
{
    stream_source source(s.down);
    co_await send_bulk<Net>(net, peer, r.plan_down(), source, watch);
    s.down_times = std::move(source.times);
}

template <transport Net>
task<> move_up(Net& net, int peer, bandwidth_request r, measured_streams& s, bulk_watch& watch)
{
    stream_sink sink(s.up, peer);
    co_await receive_bulk<Net>(net, peer, r.plan_up(), sink, watch);
    s.up_times = std::move(sink.times);
}

template <transport Net>
task<> move_streams(Net& net, int peer, bandwidth_request r, measured_streams& s, bulk_watch& watch)
{
    co_await agree_bandwidth<Net>(net, peer, r);
    std::vector<task<>> ways;
    if (r.down.chunks > 0) ways.push_back(move_down<Net>(net, peer, r, s, watch));
    if (r.up.chunks > 0) ways.push_back(move_up<Net>(net, peer, r, s, watch));
    co_await when_all(std::move(ways));
}

/// The rates to the peer and from it; zero where nothing was to move.
template <transport Net>
task<access_rate> measure_ways(Net& net, int peer, bandwidth_measurement m)
{
    const auto begin = co_await now();
    const auto ticks = begin.time_since_epoch().count();
    bandwidth_request r;
    r.down = m.way(m.down);
    r.up = m.way(m.up);
    r.request = request_number(ticks, peer, control_service::bandwidth,
                               (m.down > 0 ? 2u : 0u) + (m.up > 0 ? 1u : 0u));

    // The peer learns a key derived from the secret, and only that of the bytes that it sends.
    const keystream keys(m.secret, hash(static_cast<std::uint64_t>(ticks), r.request));
    const auto derived = keys.first<std::array<secret_key, 2>>();
    if (r.up.chunks > 0) r.key = derived[1];
    measured_streams s{keystream(derived[0], r.request), keystream(derived[1], r.request), {}, {}};

    request_scope<Net> scope(net, control_service::bandwidth, r.request);
    measurement_log progress(peer, control_service::bandwidth);
    bulk_watch watch;
    task<> work = move_streams<Net>(net, peer, r, s, watch);
    try {
        co_await watched(std::move(work), watch, m.stall_timeout, m.deadline);
    } catch (const std::system_error& failure) {
        progress.failed(failure);
        throw;
    }
    progress.finished();
    scope.succeed();
    access_rate rates;
    if (r.down.chunks > 0) rates.down = rate_of(s.down_times, m.stretches);
    if (r.up.chunks > 0) rates.up = rate_of(s.up_times, m.stretches);
    log(log_level::debug, "bandwidth measured",
        {"peer", "down_bytes_per_second", "up_bytes_per_second"}, peer,
        saturate<std::uint64_t>(rates.down), saturate<std::uint64_t>(rates.up));
    co_return rates;
}

}  // namespace papilio::detail
