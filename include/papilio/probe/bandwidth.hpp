#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/probe/detail/bandwidth_answer.hpp>
#include <papilio/probe/detail/bandwidth_measurement.hpp>
#include <papilio/probe/detail/bandwidth_request.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/transport/detail/request.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// The bandwidth of the link to a peer: payload bytes per second, by the clock of the side that
/// measures.
struct bandwidth {
    double down_bytes_per_second = 0;  ///< to the peer
    double up_bytes_per_second = 0;    ///< from the peer

    // Both directions at the same time, if that was measured.
    double duplex_down_bytes_per_second = 0;
    double duplex_up_bytes_per_second = 0;
};

struct bandwidth_options {
    secret_key secret;                                  ///< unknown to the peer
    std::size_t bytes = std::size_t{8} << 20;           ///< each way, 1 MiB to 1 GiB
    duration stall_timeout = std::chrono::seconds(10);  ///< without progress
    duration timeout = std::chrono::seconds(120);       ///< for all directions together
};
static_assert(std::is_trivially_destructible_v<bandwidth_options>);

struct sustained_options {
    secret_key secret;  ///< unknown to the peer
    duration each_way = std::chrono::seconds(10);
    duration duplex = std::chrono::seconds(3);          ///< zero: not measured
    std::size_t max_bytes = std::size_t{256} << 20;     ///< each way and measurement, to 1 GiB
    duration stall_timeout = std::chrono::seconds(10);  ///< without progress
    duration timeout = std::chrono::seconds(120);       ///< for all measurements together
};
static_assert(std::is_trivially_destructible_v<sustained_options>);

/// The limits of the measurements that a peer accepts.
struct bandwidth_limits {
    std::uint64_t bytes = std::uint64_t{256} << 20;     ///< each way and measurement
    duration stall_timeout = std::chrono::seconds(10);  ///< without progress
    duration timeout = std::chrono::seconds(120);
};
static_assert(std::is_trivially_destructible_v<bandwidth_limits>);

/// Measures the link to `peer`, which must run `serve_bandwidth`, one direction after the other.
/// Only this side's clock and counts matter. The bytes to the peer are unpredictable, and a chunk
/// counts when its checksum comes back. The bytes from the peer are derived from a key that it
/// learns when the clock starts, and all of them are compared. The first quarter does not count: it
/// is the time in which a connection finds its speed. At most an eighth is under way at a time, so
/// that acknowledgements that come in bursts, or were held back, make a link look at most a fifth
/// faster than it is. On a path whose rate times round trip is more than that, the window is what
/// is measured. The bottleneck may be this side's own link. Let the bytes last for many times the
/// path's jitter, or that is what is measured.
///
/// Throws `errc::mismatch` for wrong checksums or bytes, `errc::refused` when the peer declines,
/// `errc::timed_out`, and the error of a broken link.
template <transport Net>
task<bandwidth> measure_bandwidth(Net& net, int peer, bandwidth_options o);

/// Measures for a time instead of a number of bytes, as far as `max_bytes` reach: a burst first
/// shows how many bytes that takes. The rate is the median of eight stretches of equally many bytes
/// after the first quarter, so that neither the fast first seconds of a link nor another's traffic
/// for a moment distort it. An eighth of a stretch is under way at a time. Both directions at the
/// same time come last. Throws what `measure_bandwidth` does.
template <transport Net>
task<bandwidth> measure_sustained(Net& net, int peer, sustained_options o);

/// Lets `peer` measure within limits, one measurement at a time, until the link to it fails. A new
/// measurement replaces one that is under way. Throws `errc::bad_message` for a malformed request.
template <transport Net>
task<> serve_bandwidth(Net& net, int peer, bandwidth_limits limits = {});

template <transport Net>
task<bandwidth> measure_bandwidth(Net& net, int peer, bandwidth_options o)
{
    detail::check_secret(o.secret);
    if (o.bytes < (std::size_t{1} << 20) || o.bytes > (std::size_t{1} << 30))
        throw detail::bad_value("bandwidth_options::bytes", "1 MiB to 1 GiB", o.bytes);
    const auto begin = co_await now();
    detail::bandwidth_measurement m{.secret = o.secret,
                                    .down = o.bytes,
                                    .stall_timeout = o.stall_timeout,
                                    .deadline = later(begin, o.timeout)};
    bandwidth measured;
    const auto there = co_await detail::measure_ways<Net>(net, peer, m);
    measured.down_bytes_per_second = there.down;
    std::swap(m.down, m.up);
    const auto back = co_await detail::measure_ways<Net>(net, peer, m);
    measured.up_bytes_per_second = back.up;
    co_return measured;
}

template <transport Net>
task<bandwidth> measure_sustained(Net& net, int peer, sustained_options o)
{
    constexpr std::size_t burst = std::size_t{2} << 20;
    detail::check_secret(o.secret);
    if (o.max_bytes < burst || o.max_bytes > (std::size_t{1} << 30))
        throw detail::bad_value("sustained_options::max_bytes", "2 MiB to 1 GiB", o.max_bytes);
    const auto begin = co_await now();
    detail::bandwidth_measurement m{.secret = o.secret,
                                    .stretches = 8,
                                    .stall_timeout = o.stall_timeout,
                                    .deadline = later(begin, o.timeout)};
    const bandwidth_options first{
        .secret = o.secret, .bytes = burst, .stall_timeout = o.stall_timeout, .timeout = o.timeout};
    bandwidth measured = co_await measure_bandwidth<Net>(net, peer, first);

    const auto bytes_in = [&](duration time, double rate) {
        const double size = rate * std::chrono::duration<double>(time).count();
        return static_cast<std::size_t>(
            std::clamp(size, double{burst}, static_cast<double>(o.max_bytes)));
    };
    m.down = bytes_in(o.each_way, measured.down_bytes_per_second);
    const auto there = co_await detail::measure_ways<Net>(net, peer, m);
    m.down = 0;
    m.up = bytes_in(o.each_way, measured.up_bytes_per_second);
    const auto back = co_await detail::measure_ways<Net>(net, peer, m);
    measured.down_bytes_per_second = there.down;
    measured.up_bytes_per_second = back.up;
    if (o.duplex > duration{}) {
        m.stretches = 2;  // acknowledgements wait behind data: more of it must be under way
        m.down = bytes_in(o.duplex, there.down);
        m.up = bytes_in(o.duplex, back.up);
        const auto both = co_await detail::measure_ways<Net>(net, peer, m);
        measured.duplex_down_bytes_per_second = both.down;
        measured.duplex_up_bytes_per_second = both.up;
    }
    co_return measured;
}

template <transport Net>
task<> serve_bandwidth(Net& net, int peer, bandwidth_limits limits)
{
    const auto answer = [&](detail::bandwidth_request r, detail::bulk_watch& watch) {
        const auto size = std::uint64_t{std::max(r.down.chunks, r.up.chunks)} * detail::probe_chunk;
        const bool accepts = size <= limits.bytes;
        const auto why = [&] {
            return "it asks for " + std::to_string(size) +
                   " bytes one way, and bandwidth_limits::bytes is " + std::to_string(limits.bytes);
        };
        if (!accepts) detail::log_refused(peer, control_service::bandwidth, why);
        return detail::answer_bandwidth<Net>(net, peer, r, accepts, watch);
    };
    task<> served = detail::serve_requests(net, peer, control_service::bandwidth,
                                           detail::parse_bandwidth_request, answer,
                                           limits.stall_timeout, limits.timeout);
    co_await std::move(served);
}

}  // namespace papilio
