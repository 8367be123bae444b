#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/log.hpp>
#include <papilio/base/random.hpp>
#include <papilio/plan/link_table.hpp>
#include <papilio/probe/bandwidth_request.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/probe/measurement_log.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/bulk.hpp>
#include <papilio/transport/request.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// What a peer's link carries: payload bytes per second, by the clock of the one who measured.
struct bandwidth {
    double down_bytes_per_second = 0;  ///< to the peer
    double up_bytes_per_second = 0;    ///< from the peer

    // Both at the same time, where that was asked for.
    double duplex_down_bytes_per_second = 0;
    double duplex_up_bytes_per_second = 0;
};

struct bandwidth_options {
    secret_key secret;                              ///< what the peer must not know
    std::size_t bytes = std::size_t{8} << 20;       ///< each way, 1 MiB to 1 GiB
    duration patience = std::chrono::seconds(10);   ///< without any progress
    duration deadline = std::chrono::seconds(120);  ///< for all directions together
};
static_assert(std::is_trivially_destructible_v<bandwidth_options>);

struct sustained_options {
    secret_key secret;
    duration each_way = std::chrono::seconds(10);
    duration duplex = std::chrono::seconds(3);       ///< zero: not measured
    std::size_t max_bytes = std::size_t{256} << 20;  ///< each way and measurement, to 1 GiB
    duration patience = std::chrono::seconds(10);    ///< without any progress
    duration deadline = std::chrono::seconds(120);   ///< for all measurements together
};
static_assert(std::is_trivially_destructible_v<sustained_options>);

/// What a peer lets itself be asked for.
struct bandwidth_limits {
    std::uint64_t bytes = std::uint64_t{256} << 20;  ///< each way and measurement
    duration patience = std::chrono::seconds(10);    ///< without any progress
    duration deadline = std::chrono::seconds(120);
};
static_assert(std::is_trivially_destructible_v<bandwidth_limits>);

/// Measures the link to `peer`, which runs `serve_bandwidth`, one direction after the other. Only
/// this side's clock and counts matter. Towards the peer go bytes that it cannot foretell, and each
/// chunk counts when its checksum comes back; from the peer come bytes derived from a nonce that it
/// learns when the clock starts, and each is compared. The first quarter does not count: it is the
/// time in which a connection finds its speed. At most an eighth is under way at a time, so that
/// receipts which come in bunches, or were held back, make a link look at most a fifth faster than
/// it is; on a path that holds more than that, rate times round trip, the window is what is
/// measured. A path's bottleneck may be this side's own. Let the bytes last for many times the
/// path's jitter, or that is what is measured.
///
/// Throws `errc::mismatch` when receipts or bytes are not what they should be, `errc::refused` when
/// the peer declines, `errc::timed_out`, and what the link ended with.
template <transport Net>
task<bandwidth> measure_bandwidth(Net& net, int peer, bandwidth_options o);

/// Measures for so long, and not so many bytes, as far as `max_bytes` reach: a burst first shows
/// how many bytes that takes. The rate is the median of eight stretches of equally many bytes,
/// after the first quarter, so that a link whose first seconds are its fastest, or another's
/// traffic for a moment, shows as it is; an eighth of a stretch is under way at a time. Then both
/// directions at the same time. Throws what `measure_bandwidth` does.
template <transport Net>
task<bandwidth> measure_sustained(Net& net, int peer, sustained_options o);

/// Lets `peer` measure, once at a time and within limits, until the link to it is gone; a new
/// measurement takes the place of one that is under way. Throws `errc::bad_message` when it asks
/// nonsense.
template <transport Net>
task<> serve_bandwidth(Net& net, int peer, bandwidth_limits limits = {});

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::detail {

/// Of the bytes, the part under way at a time.
inline constexpr std::uint32_t probe_window_share = 8;

/// Chunks of a keystream, on their way out.
struct stream_source {
    explicit stream_source(keystream s) : stream(s) {}
    bytes chunk(std::size_t i, mutable_bytes scratch) const
    {
        stream.fill(i * (probe_chunk / keystream::block), scratch);
        return scratch;
    }
    void arrived(std::size_t, std::uint64_t, time_point now) { times.push_back(now); }

    keystream stream;
    std::vector<time_point> times;  // when each chunk was known to have arrived, in that order
};

/// Chunks of a keystream that come in, and must be the right ones.
struct stream_check {
    explicit stream_check(keystream s) : stream(s), right(probe_chunk) {}
    mutable_bytes room(std::size_t, mutable_bytes scratch) const { return scratch; }
    void arrived(std::size_t i, bytes chunk, std::uint64_t, time_point now)
    {
        stream.fill(i * (probe_chunk / keystream::block), right);
        if (std::memcmp(chunk.data(), right.data(), right.size()) != 0)
            throw std::system_error(errc::mismatch, "a peer sent other bytes than it was asked to");
        times.push_back(now);
    }

    keystream stream;
    std::vector<std::byte> right;
    std::vector<time_point> times;
};

/// Chunks that come in and are of no use.
struct discard {
    mutable_bytes room(std::size_t, mutable_bytes scratch) const { return scratch; }
    void arrived(std::size_t, bytes, std::uint64_t, time_point) const {}
};

/// Bytes per second after the first quarter: the median of so many stretches of as many chunks.
inline double rate_of(const std::vector<time_point>& times, std::size_t stretches)
{
    const auto begin = times.size() / 4;
    const auto chunks = (times.size() - 1 - begin) / stretches;
    std::vector<double> rates;
    for (auto from = begin; rates.size() < stretches; from += chunks) {
        // What does not divide is the last stretch's.
        const auto to = rates.size() + 1 == stretches ? times.size() - 1 : from + chunks;
        const auto span = std::max<duration>(times[to] - times[from], duration(1));
        const auto moved = static_cast<double>((to - from) * probe_chunk);
        rates.push_back(moved * 1e9 / static_cast<double>(span.count()));
    }
    std::ranges::sort(rates);
    return (rates[(stretches - 1) / 2] + rates[stretches / 2]) / 2;
}

template <transport Net>
task<> agree_bandwidth(Net& net, int peer, bandwidth_request r)
{
    const auto message = encode(r);
    co_await net.send(peer, control_door(control_service::bandwidth), message);
    std::array<std::byte, 1> answer{};
    const auto size =
        co_await net.recv(peer, control_tag(control_service::bandwidth, r.request, 0), answer);
    if (size != 1 || answer[0] != std::byte{1})
        throw std::system_error(errc::refused, "the peer will not be measured with so many bytes");
}

/// What one measurement takes, and what it came to.
struct streams {
    keystream down, up;
    std::vector<time_point> down_times, up_times;
};

template <transport Net>
task<> move_down(Net& net, int peer, bandwidth_request r, streams& s, bulk_watch& watch)
{
    stream_source source(s.down);
    co_await send_bulk<Net>(net, peer, r.plan_down(), source, watch);
    s.down_times = std::move(source.times);
}

template <transport Net>
task<> move_up(Net& net, int peer, bandwidth_request r, streams& s, bulk_watch& watch)
{
    stream_check sink(s.up);
    co_await receive_bulk<Net>(net, peer, r.plan_up(), sink, watch);
    s.up_times = std::move(sink.times);
}

template <transport Net>
task<> move_streams(Net& net, int peer, bandwidth_request r, streams& s, bulk_watch& watch)
{
    co_await agree_bandwidth<Net>(net, peer, r);
    std::vector<task<>> ways;
    if (r.down.chunks > 0) ways.push_back(move_down<Net>(net, peer, r, s, watch));
    if (r.up.chunks > 0) ways.push_back(move_up<Net>(net, peer, r, s, watch));
    co_await when_all(std::move(ways));
}

/// One measurement: so many bytes to the peer and from it at the same time, either may be none.
struct measurement {
    secret_key secret;
    std::size_t down = 0, up = 0;
    std::size_t stretches = 1;
    duration patience{};
    time_point deadline{};
};

/// The rates to the peer and from it, zero where nothing was to move.
template <transport Net>
task<access_rate> measure_ways(Net& net, int peer, measurement m)
{
    loop& on = co_await this_loop{};
    const auto now = on.now().time_since_epoch().count();
    const auto way = [&](std::size_t size) {
        if (size == 0) return bandwidth_way{};
        const auto chunks = static_cast<std::uint32_t>((size + probe_chunk - 1) / probe_chunk);
        const auto share = static_cast<std::uint32_t>(probe_window_share * m.stretches);
        return bandwidth_way{chunks,
                             std::clamp<std::uint32_t>(chunks / share, 1, max_probe_window)};
    };
    bandwidth_request r;
    r.down = way(m.down);
    r.up = way(m.up);
    r.request = request_number(now, peer, control_service::bandwidth,
                               (m.down > 0 ? 2u : 0u) + (m.up > 0 ? 1u : 0u));

    // The peer learns a key that is derived from the secret, and only for what it is to send.
    const keystream keys(m.secret, hash(static_cast<std::uint64_t>(now), r.request));
    const auto derived = keys.first<std::array<secret_key, 2>>();
    if (r.up.chunks > 0) r.key = derived[1];
    streams s{keystream(derived[0], r.request), keystream(derived[1], r.request), {}, {}};

    request_scope<Net> scope(net, control_service::bandwidth, r.request);
    measurement_log progress(peer, control_service::bandwidth);
    bulk_watch watch;
    task<> work = move_streams<Net>(net, peer, r, s, watch);
    try {
        co_await watched(std::move(work), watch, m.patience, m.deadline);
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
        static_cast<std::uint64_t>(rates.down), static_cast<std::uint64_t>(rates.up));
    co_return rates;
}

template <transport Net>
task<> send_stream(Net& net, int peer, bandwidth_request r, bulk_watch& watch)
{
    stream_source source(keystream(r.key, r.request));
    co_await send_bulk<Net>(net, peer, r.plan_up(), source, watch);
}

template <transport Net>
task<> take_stream(Net& net, int peer, bandwidth_request r, bulk_watch& watch)
{
    discard sink;
    co_await receive_bulk<Net>(net, peer, r.plan_down(), sink, watch);
}

inline void log_too_large(int peer, std::uint64_t size, std::uint64_t limit)
{
    const auto why = [&] {
        return "it asks for " + std::to_string(size) + " bytes one way, and the limit is " +
               std::to_string(limit);
    };
    log(log_level::warning, "request refused", {"peer", "service", "why"}, peer,
        name(control_service::bandwidth), why);
}

template <transport Net>
task<> answer_bandwidth(Net& net, int peer, bandwidth_request r, bool willing, bulk_watch& watch)
{
    const std::array<std::byte, 1> answer{std::byte{willing}};
    co_await net.send(peer, control_tag(control_service::bandwidth, r.request, 0), answer);
    if (!willing) co_return;
    std::vector<task<>> ways;
    if (r.down.chunks > 0) ways.push_back(take_stream<Net>(net, peer, r, watch));
    if (r.up.chunks > 0) ways.push_back(send_stream<Net>(net, peer, r, watch));
    co_await when_all(std::move(ways));
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

template <transport Net>
task<bandwidth> measure_bandwidth(Net& net, int peer, bandwidth_options o)
{
    detail::check_secret(o.secret);
    if (o.bytes < (std::size_t{1} << 20) || o.bytes > (std::size_t{1} << 30))
        throw std::system_error(errc::bad_argument, "bandwidth is measured with 1 MiB to 1 GiB");
    loop& on = co_await this_loop{};
    detail::measurement m;
    m.secret = o.secret;
    m.patience = o.patience;
    m.deadline = on.now() + o.deadline;
    m.down = o.bytes;
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
        throw std::system_error(errc::bad_argument, "bandwidth is measured with 2 MiB to 1 GiB");
    loop& on = co_await this_loop{};
    const auto deadline = on.now() + o.deadline;
    bandwidth_options first;
    first.secret = o.secret;
    first.bytes = burst;
    first.patience = o.patience;
    first.deadline = o.deadline;
    bandwidth measured = co_await measure_bandwidth<Net>(net, peer, first);

    const auto lasting = [&](double rate, duration time) {
        const double size = rate * std::chrono::duration<double>(time).count();
        return static_cast<std::size_t>(
            std::clamp(size, double{burst}, static_cast<double>(o.max_bytes)));
    };
    detail::measurement m;
    m.secret = o.secret;
    m.patience = o.patience;
    m.deadline = deadline;
    m.stretches = 8;
    m.down = lasting(measured.down_bytes_per_second, o.each_way);
    const auto there = co_await detail::measure_ways<Net>(net, peer, m);
    m.down = 0;
    m.up = lasting(measured.up_bytes_per_second, o.each_way);
    const auto back = co_await detail::measure_ways<Net>(net, peer, m);
    measured.down_bytes_per_second = there.down;
    measured.up_bytes_per_second = back.up;
    if (o.duplex > duration{}) {
        m.stretches = 2;  // receipts wait behind the data of the other way: more must be under way
        m.down = lasting(there.down, o.duplex);
        m.up = lasting(back.up, o.duplex);
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
        const bool willing = size <= limits.bytes;
        if (!willing) detail::log_too_large(peer, size, limits.bytes);
        return detail::answer_bandwidth<Net>(net, peer, r, willing, watch);
    };
    task<> served = detail::serve_requests(net, peer, control_service::bandwidth,
                                           detail::parse_bandwidth_request, answer, limits.patience,
                                           limits.deadline);
    co_await std::move(served);
}

}  // namespace papilio
