#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/detail/bulk.hpp>
#include <papilio/wire/control.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// How the spans that make up a state, or the updates of several rounds, go from one peer to
// another once both have agreed on their sizes.
namespace papilio::inline PAPILIO_MODE::detail {

/// The chunks of spans of these many bytes. No chunk crosses from one span into the next.
class span_plan {
public:
    static constexpr std::size_t chunk_bytes = std::size_t{256} << 10;
    static constexpr std::size_t max_spans = 64;  // few, since `at` searches them one by one
    static constexpr std::uint32_t max_in_flight = 256;

    explicit span_plan(std::vector<std::uint64_t> sizes) : sizes_(std::move(sizes))
    {
        for (const auto size : sizes_) {
            chunks_ += chunks_of(size);
            bytes_ += size;
        }
    }

    struct range {
        std::size_t span = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    std::size_t chunks() const noexcept { return chunks_; }
    std::uint64_t bytes() const noexcept { return bytes_; }

    range at(std::size_t chunk) const noexcept
    {
        range r;
        for (; r.span < sizes_.size(); ++r.span) {
            const auto in_span = chunks_of(sizes_[r.span]);
            if (chunk < in_span) break;
            chunk -= in_span;
        }
        r.begin = chunk * chunk_bytes;
        r.size = std::min<std::size_t>(chunk_bytes, sizes_[r.span] - r.begin);
        return r;
    }

    /// Chunks in flight that take about `window_bytes`.
    static std::uint32_t in_flight_for(std::size_t window_bytes) noexcept
    {
        return static_cast<std::uint32_t>(
            std::clamp<std::size_t>(window_bytes / chunk_bytes, 1, max_in_flight));
    }

private:
    static std::size_t chunks_of(std::uint64_t size) noexcept
    {
        return size / chunk_bytes + (size % chunk_bytes != 0);
    }

    std::vector<std::uint64_t> sizes_;
    std::size_t chunks_ = 0;
    std::uint64_t bytes_ = 0;
};

/// A checksum of the whole: over the chunks' checksums in order, in whatever order they arrive.
/// `seed` tells what they are, such as the round of a state.
class span_checksum {
public:
    explicit span_checksum(std::size_t chunks) : sums_(chunks) {}
    void set(std::size_t chunk, std::uint64_t sum) { sums_[chunk] = sum; }
    std::uint64_t value(std::uint32_t seed) const
    {
        std::uint64_t all = hash(seed, sums_.size());
        for (const auto sum : sums_) all = hash(all, sum);
        return all;
    }

private:
    std::vector<std::uint64_t> sums_;
};

/// The tags of a request's messages beside the chunks.
struct transfer_tags {
    control_service service{};
    std::uint32_t request = 0;
    tag offer() const { return control_tag(service, request, 0); }
    tag acceptance() const { return control_tag(service, request, 1); }
    tag checksum() const { return control_tag(service, request, 2); }
};

/// One transfer, as both sides know it.
struct span_transfer {
    transfer_tags tags;
    const span_plan& plan;
    std::uint32_t in_flight = 1;  ///< chunks
    std::uint32_t seed = 0;       ///< of the checksum

    bulk chunks() const noexcept
    {
        return {tags.service, tags.request, plan.chunks(), 0, in_flight};
    }
};

struct span_source {
    span_source(const span_plan& p, const std::vector<bytes>& from)
        : plan(p), spans(from), sums(p.chunks())
    {
    }
    bytes chunk(std::size_t i, mutable_bytes) const
    {
        const auto r = plan.at(i);
        return spans[r.span].subspan(r.begin, r.size);
    }
    void arrived(std::size_t i, std::uint64_t sum, time_point) { sums.set(i, sum); }

    const span_plan& plan;
    const std::vector<bytes>& spans;
    span_checksum sums;
};

struct span_sink {
    span_sink(const span_plan& p, const std::vector<mutable_bytes>& into)
        : plan(p), spans(into), sums(p.chunks())
    {
    }
    mutable_bytes destination(std::size_t i, mutable_bytes) const
    {
        const auto r = plan.at(i);
        return spans[r.span].subspan(r.begin, r.size);
    }
    void arrived(std::size_t i, bytes, std::uint64_t sum, time_point) { sums.set(i, sum); }

    const span_plan& plan;
    const std::vector<mutable_bytes>& spans;
    span_checksum sums;
};

template <transport Net>
task<> send_spans(Net& net, int peer, span_transfer t, const std::vector<bytes>& spans,
                  bulk_watch& watch)
{
    span_source source(t.plan, spans);
    co_await send_bulk<Net>(net, peer, t.chunks(), source, watch);
    std::array<std::byte, 8> sum;
    store(sum.data(), source.sums.value(t.seed));
    co_await net.send(peer, t.tags.checksum(), sum);
}

/// Throws `errc::mismatch` if what arrived is not what was sent.
template <transport Net>
task<> receive_spans(Net& net, int peer, span_transfer t, const std::vector<mutable_bytes>& spans,
                     bulk_watch& watch)
{
    span_sink sink(t.plan, spans);
    co_await receive_bulk<Net>(net, peer, t.chunks(), sink, watch);
    std::array<std::byte, 8> sum{};
    const auto size = co_await net.recv(peer, t.tags.checksum(), sum);
    if (size != sum.size() || load<std::uint64_t>(sum.data()) != sink.sums.value(t.seed))
        throw std::system_error(errc::mismatch, std::string("the ") + name(t.tags.service) +
                                                    " from peer " + std::to_string(peer) +
                                                    " was damaged on its way");
}

/// Tells the other side whether what it offers is taken.
template <transport Net>
task<> answer_offer(Net& net, int peer, transfer_tags tags, bool taken)
{
    const std::array<std::byte, 1> answer{std::byte{taken}};
    co_await net.send(peer, tags.acceptance(), answer);
}

template <transport Net>
task<bool> offer_taken(Net& net, int peer, transfer_tags tags)
{
    std::array<std::byte, 1> answer{};
    const auto size = co_await net.recv(peer, tags.acceptance(), answer);
    co_return size == 1 && answer[0] == std::byte{1};
}

}  // namespace papilio::detail
