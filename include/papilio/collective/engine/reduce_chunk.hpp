#pragma once

#include <papilio/base/buffer_pool.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/pack.hpp>
#include <papilio/collective/engine/reduce_slice.hpp>
#include <papilio/op/base.hpp>

#include <algorithm>
#include <concepts>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Decodes the contributions to a chunk, which came by `From`. This peer's own elements pass
/// through the codec like everybody's: the result does not depend on who reduces.
template <element T, class From>
class contribution_reader {
public:
    using value = carried<From, T>;

    contribution_reader(const From& from, const chunk_input& chunk)
        : from_(codec_at(from, chunk.where.begin)), chunk_(chunk)
    {
    }

    /// Decodes the whole of contribution k.
    void read(std::size_t k, std::span<value> to)
    {
        const auto& c = chunk_.from[k];
        if (c.peer < 0) {
            own_.resize(from_.template bound<value>(to.size()));
            from_.decode(encode_own(0, elements(c)), to);
        } else {
            blame_contribution(c.peer, chunk_.me, [&] { from_.decode(c.data, to); });
        }
    }

    /// Decodes, or adds, the elements from `begin` on.
    template <class Adds>
    void read_slice(std::size_t k, std::size_t begin, std::span<value> to, Adds adds)
    {
        const auto& c = chunk_.from[k];
        if (c.peer < 0) {
            own_.resize(from_.template bound<value>(to.size()));
            const auto encoded = encode_own(begin, elements(c).subspan(begin, to.size()));
            decode_slice(codec_at(from_, chunk_.where.begin + begin), encoded, 0, to.size(), to,
                         adds);
        } else {
            blame_contribution(c.peer, chunk_.me, [&] {
                decode_slice(from_, c.data, begin, chunk_.where.size, to, adds);
            });
        }
    }

private:
    static std::span<const T> elements(const contribution& own)
    {
        return {reinterpret_cast<const T*>(own.data.data()), own.data.size() / sizeof(T)};
    }

    bytes encode_own(std::size_t begin, std::span<const T> mine)
    {
        bytes encoded;
        blame_contribution(chunk_.me, chunk_.me, [&] {
            encoded = bytes(own_).first(pack(from_, chunk_.where.begin + begin, mine, own_));
        });
        return encoded;
    }

    template <class Codec, class Adds>
    static void decode_slice(const Codec& codec, bytes encoded, std::size_t begin, std::size_t n,
                             std::span<value> to, Adds)
    {
        if constexpr (Adds::value)
            codec.accumulate_slice(encoded, begin, n, to);
        else
            codec.decode_slice(encoded, begin, n, to);
    }

    From from_;
    const chunk_input& chunk_;
    std::vector<std::byte> own_;
};

/// Elements that travel as they lie are reduced where they lie. Own elements that lie where the
/// result goes are moved out of its way.
template <element T, class Op>
void reduce_plain(const Op& op, const chunk_input& chunk, pooled_buffer& scratch, std::span<T> out)
{
    std::vector<std::span<const T>> plain;
    plain.reserve(chunk.from.size());
    for (const auto& c : chunk.from) {
        const auto* at = reinterpret_cast<const T*>(c.data.data());
        if (at == out.data()) {
            const auto moved = values_in<T>(scratch, out.size());
            std::ranges::copy(out, moved.begin());
            at = moved.data();
        }
        plain.emplace_back(at, out.size());
    }
    op.reduce(std::span<const std::span<const T>>(plain), chunk.weights, out);
}

/// Encodes a result as `Back` carries it, and leaves in `out` what others will decode.
template <element T, class Back>
void encode_narrow(const Back& back, std::size_t begin, std::span<T> out,
                   std::vector<std::byte>& encoded)
{
    encoded.resize(back.template bound<carried<Back, T>>(out.size()));
    encoded.resize(pack(back, begin, std::span<const T>(out), encoded));
    unpack(back, begin, encoded, out);
}

/// Slice by slice, so that what is decoded, added up and encoded stays in the cache.
template <element T, class Op, class From, class Back>
void reduce_sliced(const Op& op, const From& from, const Back& back_codec, const chunk_input& chunk,
                   pooled_buffer& scratch, std::span<T> out, std::vector<std::byte>* encoded)
{
    using value = carried<From, T>;
    constexpr auto most = slice_size<common_granule<From>>;
    const auto n = chunk.where.size;
    const Back back = codec_at(back_codec, chunk.where.begin);
    contribution_reader<T, From> reader(from, chunk);
    if (encoded) encoded->resize(back.template bound<value>(n));
    std::vector<value> reduced(std::min(most, n));
    for (std::size_t begin = 0; begin < n; begin += most) {
        const auto size = std::min(most, n - begin);
        const auto to = std::span(reduced).first(size);
        const auto there = out.subspan(begin, size);
        const auto read = [&](std::size_t k, std::span<value> into, auto adds) {
            reader.read_slice(k, begin, into, adds);
        };
        reduce_slice(op, chunk.weights, read, scratch, to);
        if (!encoded) {
            narrow_all(std::span<const value>(to), there);
            continue;
        }
        back.encode_slice(std::span<const value>(to), begin, n, *encoded);
        if constexpr (std::same_as<value, T>) {
            back.decode_slice(*encoded, begin, n, there);
        } else {
            back.decode_slice(*encoded, begin, n, to);
            narrow_all(std::span<const value>(to), there);
        }
    }
}

/// The whole chunk at once, for codecs that cannot be cut into slices.
template <element T, class Op, class From, class Back>
void reduce_whole(const Op& op, const From& from, const Back& back_codec, const chunk_input& chunk,
                  pooled_buffer& scratch, std::span<T> out, std::vector<std::byte>* encoded)
{
    using value = carried<From, T>;
    constexpr bool back_alike = std::same_as<carried<Back, T>, value>;
    const auto n = chunk.where.size;
    const Back back = codec_at(back_codec, chunk.where.begin);
    contribution_reader<T, From> reader(from, chunk);
    const auto all = values_in<value>(scratch, n * (chunk.from.size() + 1));
    std::vector<std::span<const value>> decoded;
    for (std::size_t k = 0; k < chunk.from.size(); ++k) {
        const auto to = all.subspan(k * n, n);
        reader.read(k, to);
        decoded.push_back(to);
    }
    const auto reduced = all.last(n);
    op.reduce(std::span<const std::span<const value>>(decoded), chunk.weights, reduced);
    if constexpr (back_alike) {
        if (encoded) {
            encoded->resize(back.template bound<value>(n));
            encoded->resize(back.encode(std::span<const value>(reduced), *encoded));
            back.decode(*encoded, reduced);
        }
    }
    narrow_all(std::span<const value>(reduced), out);
    if constexpr (!back_alike) {
        if (encoded) encode_narrow(back, chunk.where.begin, out, *encoded);
    }
}

/// Reduces the contributions to a chunk, which came by `From`, into `out`, in the order given. With
/// `encoded`, the result travels on by `Back`: `encoded` gets its bytes and `out` what they decode
/// to, so that the owner holds what everybody gets.
///
/// Throws a `call_error` that blames the peer whose contribution cannot be decoded, or this peer
/// for own elements that cannot be encoded.
template <element T, class Op, class From, class Back>
void reduce_chunk(const Op& op, const From& from, const Back& back, const chunk_input& chunk,
                  pooled_buffer& scratch, std::span<T> out, std::vector<std::byte>* encoded)
{
    using value = carried<From, T>;
    if (out.empty()) return;
    if constexpr (std::same_as<From, identity>) {
        reduce_plain(op, chunk, scratch, out);
        if (encoded)
            encode_narrow(codec_at(back, chunk.where.begin), chunk.where.begin, out, *encoded);
    } else if constexpr (std::same_as<carried<Back, T>, value> && sliced_codec<From, value> &&
                         sliced_codec<Back, value>) {
        reduce_sliced(op, from, back, chunk, scratch, out, encoded);
    } else {
        reduce_whole(op, from, back, chunk, scratch, out, encoded);
    }
}

}  // namespace papilio::detail
