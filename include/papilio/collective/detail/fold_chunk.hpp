#pragma once

#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/detail/packing.hpp>
#include <papilio/collective/detail/reduce_slice.hpp>
#include <papilio/op/base.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <span>
#include <vector>

namespace papilio::detail {

/// One version of a chunk: as it came from `peer`, or this peer's own, not encoded yet.
template <element T>
struct version {
    int peer = -1;  ///< -1: own
    bytes encoded = {};
    std::span<const T> own = {};
};

/// Folds versions of one chunk, which came by `From`, into `out`, in the order given. If the result
/// travels on by `Back`, `encoded` gets its bytes and `out` what they decode to, so that the owner
/// holds what everybody gets. This peer's own version passes through `From` like everybody's: the
/// result does not depend on who reduces.
///
/// Throws a `call_error` that blames the peer whose version cannot be decoded, or `me` for an own
/// one that cannot be encoded.
template <element T, class Op, class From, class Back>
class chunk_fold {
    using value = carried<From, T>;
    static constexpr bool verbatim = std::same_as<From, identity>;
    static constexpr bool back_alike = std::same_as<carried<Back, T>, value>;

public:
    chunk_fold(const Op& op, const From& from, const Back& back, part where, int me,
               std::span<const version<T>> versions, std::span<const double> weights)
        : op_(op),
          from_(codec_at(from, where.begin)),
          back_(codec_at(back, where.begin)),
          where_(where),
          me_(me),
          versions_(versions),
          weights_(weights)
    {
    }

    /// `scratch` is kept from one call to the next. `encoded` is null where the result stays here.
    void operator()(std::vector<value>& scratch, std::span<T> out,
                    std::vector<std::byte>* encoded) const
    {
        if (out.empty()) return;
        if constexpr (verbatim)
            fold_plain(scratch, out, encoded);
        else if constexpr (back_alike && sliced_codec<From, value> && sliced_codec<Back, value>)
            fold_slices(scratch, out, encoded);
        else
            fold_whole(scratch, out, encoded);
    }

private:
    /// An own version that lies where the result goes is moved out of its way.
    void fold_plain(std::vector<value>& scratch, std::span<T> out,
                    std::vector<std::byte>* encoded) const
    {
        std::vector<std::span<const T>> plain;
        for (const auto& v : versions_) {
            if (v.peer >= 0) {
                plain.emplace_back(reinterpret_cast<const T*>(v.encoded.data()), out.size());
            } else if (v.own.data() == out.data()) {
                scratch.assign(v.own.begin(), v.own.end());
                plain.emplace_back(scratch);
            } else {
                plain.push_back(v.own);
            }
        }
        op_.reduce(std::span<const std::span<const T>>(plain), weights_, out);
        if (encoded) encode_narrow(out, *encoded);
    }

    /// Slice by slice, so that what is decoded, added up and encoded stays in the cache.
    void fold_slices(std::vector<value>& scratch, std::span<T> out,
                     std::vector<std::byte>* encoded) const
    {
        constexpr auto most = slice_size<common_granule<From>>;
        const auto n = where_.size;
        if (encoded) encoded->resize(back_.template bound<value>(n));
        std::vector<value> reduced(std::min(most, n));
        std::vector<std::byte> own(from_.template bound<value>(reduced.size()));
        for (std::size_t begin = 0; begin < n; begin += most) {
            const auto size = std::min(most, n - begin);
            const auto read = [&](std::size_t k, std::span<value> to, auto adds) {
                if (const auto& v = versions_[k]; v.peer < 0) {
                    const auto mine = v.own.subspan(begin, size);
                    const auto there = codec_at(from_, where_.begin + begin);
                    read_slice(there, encode_own(begin, mine, own), 0, size, to, adds);
                } else {
                    blaming(v.peer, [&] { read_slice(from_, v.encoded, begin, n, to, adds); });
                }
            };
            const auto to = std::span(reduced).first(size);
            reduce_slice(op_, weights_, read, scratch, to);
            if (encoded) {
                back_.encode_slice(std::span<const value>(to), begin, n, *encoded);
                unpack_slice(*encoded, begin, to, out.subspan(begin, size));
            } else {
                narrow_all(std::span<const value>(to), out.subspan(begin, size));
            }
        }
    }

    void fold_whole(std::vector<value>& scratch, std::span<T> out,
                    std::vector<std::byte>* encoded) const
    {
        const auto n = where_.size;
        const auto room = n * (versions_.size() + 1);
        if (scratch.size() < room) scratch.resize(room);
        std::vector<std::span<const value>> decoded;
        std::vector<std::byte> own;
        for (const auto& v : versions_) {
            const auto to = std::span(scratch).subspan(decoded.size() * n, n);
            decoded.push_back(to);
            if (v.peer < 0) {
                own.resize(from_.template bound<value>(n));
                from_.decode(encode_own(0, v.own, own), to);
            } else {
                blaming(v.peer, [&] { from_.decode(v.encoded, to); });
            }
        }
        const auto reduced = std::span(scratch).subspan(versions_.size() * n, n);
        op_.reduce(std::span<const std::span<const value>>(decoded), weights_, reduced);
        if constexpr (back_alike) {
            if (encoded) encode_wide(reduced, *encoded);
        }
        narrow_all(std::span<const value>(reduced), out);
        if constexpr (!back_alike) {
            if (encoded) encode_narrow(out, *encoded);
        }
    }

    /// Encodes a result for the way back, and makes of it what the others will decode.
    void encode_wide(std::span<value> reduced, std::vector<std::byte>& encoded) const
    {
        encoded.resize(back_.template bound<value>(reduced.size()));
        encoded.resize(back_.encode(std::span<const value>(reduced), encoded));
        back_.decode(encoded, reduced);
    }

    /// The same where what travels back is the caller's elements, not what they were reduced in.
    void encode_narrow(std::span<T> out, std::vector<std::byte>& encoded) const
    {
        encoded.resize(back_.template bound<carried<Back, T>>(out.size()));
        encoded.resize(pack(back_, where_.begin, std::span<const T>(out), encoded));
        unpack(back_, where_.begin, encoded, out);
    }

    template <class Codec, class Adds>
    static void read_slice(const Codec& codec, bytes encoded, std::size_t begin, std::size_t n,
                           std::span<value> to, Adds)
    {
        if constexpr (Adds::value)
            codec.accumulate_slice(encoded, begin, n, to);
        else
            codec.decode_slice(encoded, begin, n, to);
    }

    bytes encode_own(std::size_t begin, std::span<const T> mine, mutable_bytes room) const
    {
        bytes encoded;
        blaming(me_, [&] { encoded = room.first(pack(from_, where_.begin + begin, mine, room)); });
        return encoded;
    }

    /// What the others will decode, from the slice that has just been encoded.
    void unpack_slice(bytes encoded, std::size_t begin, std::span<value> wide,
                      std::span<T> out) const
    {
        if constexpr (std::same_as<value, T>) {
            back_.decode_slice(encoded, begin, where_.size, out);
        } else {
            back_.decode_slice(encoded, begin, where_.size, wide);
            narrow_all(std::span<const value>(wide), out);
        }
    }

    template <class Work>
    void blaming(int peer, const Work& work) const
    {
        try {
            work();
        } catch (const std::system_error& failure) {
            throw call_error(failure.code(), peer, me_, phase::contribution, sentence(failure));
        }
    }

    const Op& op_;
    From from_;
    Back back_;
    part where_;
    int me_;
    std::span<const version<T>> versions_;
    std::span<const double> weights_;
};

}  // namespace papilio::detail
