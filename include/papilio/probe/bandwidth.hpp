#pragma once

#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/bulk.hpp>
#include <papilio/transport/request.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio {

/// What a peer's link carries: payload bytes per second, by the clock of the one who measured.
struct bandwidth {
    double down_bytes_per_second = 0;  ///< to the peer
    double up_bytes_per_second = 0;    ///< from the peer
};

struct bandwidth_options {
    secret_key secret;                              ///< what the peer must not know
    std::size_t bytes = std::size_t{8} << 20;       ///< each way, 1 MiB to 1 GiB
    duration patience = std::chrono::seconds(10);   ///< without any progress
    duration deadline = std::chrono::seconds(120);  ///< for both directions together
};
static_assert(std::is_trivially_destructible_v<bandwidth_options>);

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

/// Lets `peer` measure, once at a time and within limits, until the link to it is gone; a new
/// measurement takes the place of one that is under way. Throws `errc::bad_message` when it asks
/// nonsense.
template <transport Net>
task<> serve_bandwidth(Net& net, int peer, bandwidth_limits limits = {});

}  // namespace papilio

namespace papilio::detail {

inline constexpr std::size_t probe_chunk = std::size_t{64} << 10;

// Of the bytes, the part under way at a time; and the most, in chunks: 32 MiB of a target's memory.
inline constexpr std::uint32_t probe_window_share = 8;
inline constexpr std::uint32_t max_probe_window = 512;

/// Little-endian: u32 magic, u32 request, u32 direction (0: to the peer, 1: from the peer), u32
/// chunks, u32 window, u32 zero, 32 bytes of key.
struct bandwidth_request {
    std::uint32_t request = 0;
    bool upload = false;
    std::uint32_t chunks = 0;
    std::uint32_t window = 0;
    secret_key key;  ///< of the bytes that the peer is to send

    static constexpr std::size_t encoded_size = 56;
    static constexpr std::uint32_t magic = 0x42504150;  // "PAPB"

    bulk plan() const noexcept
    {
        return {control_service::bandwidth, request, chunks, probe_chunk, window};
    }
};

inline std::array<std::byte, bandwidth_request::encoded_size> encode(const bandwidth_request& r)
{
    std::array<std::byte, bandwidth_request::encoded_size> to;
    store(to.data(), bandwidth_request::magic);
    store(to.data() + 4, r.request);
    store(to.data() + 8, std::uint32_t{r.upload});
    store(to.data() + 12, r.chunks);
    store(to.data() + 16, r.window);
    store(to.data() + 20, std::uint32_t{0});
    store(to.data() + 24, r.key.words);
    return to;
}

inline bandwidth_request parse_bandwidth_request(bytes from)
{
    if (from.size() != bandwidth_request::encoded_size ||
        load<std::uint32_t>(from.data()) != bandwidth_request::magic ||
        load<std::uint32_t>(from.data() + 8) > 1 || load<std::uint32_t>(from.data() + 20) != 0)
        throw std::system_error(errc::bad_message, "not a request to measure");
    bandwidth_request r;
    r.request = load<std::uint32_t>(from.data() + 4);
    r.upload = load<std::uint32_t>(from.data() + 8) == 1;
    r.chunks = load<std::uint32_t>(from.data() + 12);
    r.window = load<std::uint32_t>(from.data() + 16);
    r.key.words = load<std::array<std::uint32_t, 8>>(from.data() + 24);
    if (!is_request_number(r.request) || r.chunks < 1 || r.chunks > bulk::max_chunks ||
        r.window < 1 || r.window > max_probe_window || r.window > r.chunks)
        throw std::system_error(errc::bad_message, "a measurement out of range");
    return r;
}

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

/// Bytes per second between the end of the first quarter and the last chunk.
inline double rate_of(const std::vector<time_point>& times)
{
    const auto begin = times.size() / 4;
    const auto chunks = times.size() - 1 - begin;
    const auto span = std::max<duration>(times.back() - times[begin], duration(1));
    return static_cast<double>(chunks * probe_chunk) * 1e9 / static_cast<double>(span.count());
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

template <transport Net>
task<> move_stream(Net& net, int peer, bandwidth_request r, keystream stream,
                   std::vector<time_point>& times, bulk_watch& watch)
{
    co_await agree_bandwidth<Net>(net, peer, r);
    if (r.upload) {
        stream_check sink(stream);
        co_await receive_bulk<Net>(net, peer, r.plan(), sink, watch);
        times = std::move(sink.times);
    } else {
        stream_source source(stream);
        co_await send_bulk<Net>(net, peer, r.plan(), source, watch);
        times = std::move(source.times);
    }
}

template <transport Net>
task<double> measure_direction(Net& net, int peer, bandwidth_options o, bool upload,
                               time_point deadline)
{
    loop& on = co_await this_loop{};
    const auto now = on.now().time_since_epoch().count();
    bandwidth_request r;
    r.request = request_number(now, peer, control_service::bandwidth, upload);
    r.upload = upload;
    r.chunks = static_cast<std::uint32_t>((o.bytes + probe_chunk - 1) / probe_chunk);
    r.window = std::clamp<std::uint32_t>(r.chunks / probe_window_share, 1, max_probe_window);

    // The peer learns a key that is derived from the secret, and only for what it is to send.
    const keystream keys(o.secret, hash(static_cast<std::uint64_t>(now), r.request));
    const auto derived = keys.first<secret_key>();
    if (upload) r.key = derived;
    const keystream stream(derived, r.request);

    request_scope<Net> scope(net, control_service::bandwidth, r.request);
    std::vector<time_point> times;
    bulk_watch watch;
    task<> work = move_stream<Net>(net, peer, r, stream, times, watch);
    co_await watched(std::move(work), watch, o.patience, deadline);
    scope.succeed();
    co_return rate_of(times);
}

template <transport Net>
task<> answer_bandwidth(Net& net, int peer, bandwidth_request r, bool willing, bulk_watch& watch)
{
    const std::array<std::byte, 1> answer{std::byte{willing}};
    co_await net.send(peer, control_tag(control_service::bandwidth, r.request, 0), answer);
    if (!willing) co_return;
    if (r.upload) {
        stream_source source(keystream(r.key, r.request));
        co_await send_bulk<Net>(net, peer, r.plan(), source, watch);
    } else {
        discard sink;
        co_await receive_bulk<Net>(net, peer, r.plan(), sink, watch);
    }
}

}  // namespace papilio::detail

namespace papilio {

template <transport Net>
task<bandwidth> measure_bandwidth(Net& net, int peer, bandwidth_options o)
{
    detail::check_secret(o.secret);
    if (o.bytes < (std::size_t{1} << 20) || o.bytes > (std::size_t{1} << 30))
        throw std::system_error(errc::bad_argument, "bandwidth is measured with 1 MiB to 1 GiB");
    loop& on = co_await this_loop{};
    const auto deadline = on.now() + o.deadline;
    bandwidth measured;
    measured.down_bytes_per_second =
        co_await detail::measure_direction<Net>(net, peer, o, false, deadline);
    measured.up_bytes_per_second =
        co_await detail::measure_direction<Net>(net, peer, o, true, deadline);
    co_return measured;
}

template <transport Net>
task<> serve_bandwidth(Net& net, int peer, bandwidth_limits limits)
{
    const auto answer = [&](detail::bandwidth_request r, detail::bulk_watch& watch) {
        const bool willing = std::uint64_t{r.chunks} * detail::probe_chunk <= limits.bytes;
        return detail::answer_bandwidth<Net>(net, peer, r, willing, watch);
    };
    task<> served = detail::serve_requests(net, peer, control_service::bandwidth,
                                           detail::parse_bandwidth_request, answer, limits.patience,
                                           limits.deadline);
    co_await std::move(served);
}

}  // namespace papilio
