#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/offload.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/detail/reduce_slice.hpp>
#include <papilio/collective/detail/round.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/op/base.hpp>
#include <papilio/plan/chunks.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace papilio::detail {

/// What the peers of a direct all-reduce agree on beside type, operation and codec.
struct direct_plan {
    std::vector<part> parts;         // by owner
    std::vector<role> roles;         // by rank
    std::size_t chunk = 1;           // elements
    std::vector<std::size_t> lanes;  // by owner: chunks of its part on the way to or from each peer
    std::uint64_t layout = 0;        // a hash of what the peers were told about each other
};

/// The direct butterfly all-reduce: everybody sends each owner its version of the owner's part,
/// and the owner sends everybody the reduced part. Each quantises once, so a lossy codec rounds
/// twice whatever the number of peers.
///
/// Parts move in chunks, and chunks in lanes. The lane of a chunk between a peer and the chunk's
/// owner is one conversation: my version out, the result back, next chunk. So the result is the
/// credit for the next contribution, and never more than `lanes` chunks are under way between two
/// peers in one direction, however early or late either of them is.
template <element T, class Op, class Codec>
class direct {
    static constexpr bool verbatim = std::same_as<Codec, identity>;

    /// How results travel.
    using back_codec = codec_back_t<Codec>;

    /// What the codec takes and the operation reduces.
    using value = std::conditional_t<Codec::lossless, T, accumulator_t<T>>;

    static constexpr std::size_t head = wire::descriptor::encoded_size;

public:
    direct(round& r, const direct_plan& plan, std::span<const T> in, std::span<T> out, Op op,
           Codec codec, workers* pool)
        : round_(r),
          plan_(plan),
          in_(in),
          out_(out),
          op_(op),
          codec_(codec),
          back_(codec_back(codec)),
          pool_(pool),
          owned_(chunks_of(r.me()))
    {
        for (int peer = 0; peer < r.size(); ++peer)
            if (peer != r.me() && contributes(r.of(peer))) ++others_;
        for (auto& chunk : owned_) chunk.awaited = others_;
        if (others_ == 0) described_.open();
    }
    direct(const direct&) = delete;
    direct& operator=(const direct&) = delete;

    /// Moves everything between members. `out` is complete when it finishes.
    task<> move()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < round_.size(); ++peer) {
            if (peer == round_.me()) continue;
            if (votes(round_.of(peer))) serve_all(peer, work);
        }
        exchange_all(work);
        work.push_back(watch_part());
        co_await when_all(std::move(work));
    }

    /// Hands my part to the observers. One that fails is left behind.
    task<> serve_observers()
    {
        std::vector<task<>> work;
        for (int peer = 0; peer < round_.size(); ++peer)
            if (peer != round_.me() && !votes(round_.of(peer)))
                work.push_back(serve_observer(peer));
        co_await when_all(std::move(work));
    }

private:
    /// One chunk of the part that this peer owns.
    struct owned_chunk {
        std::vector<bytes> versions;     // as they came, by rank
        std::size_t awaited = 0;         // contributions that have not come yet
        std::vector<std::byte> encoded;  // the result, unless it lies in `out` as it is sent
        gate reduced;
    };

    std::size_t chunks_of(int owner) const
    {
        return chunk_count(plan_.parts[static_cast<std::size_t>(owner)], plan_.chunk);
    }
    part chunk_at(int owner, std::size_t c) const
    {
        return chunk_of(plan_.parts[static_cast<std::size_t>(owner)], plan_.chunk, c);
    }
    std::size_t lanes_for(int owner) const { return plan_.lanes[static_cast<std::size_t>(owner)]; }
    std::size_t largest_chunk(int owner) const
    {
        return std::min(plan_.chunk, plan_.parts[static_cast<std::size_t>(owner)].size);
    }
    std::size_t room_for_chunk(int owner) const
    {
        return head + codec_.template bound<value>(largest_chunk(owner));
    }
    std::size_t room_for_result(int owner) const
    {
        return back_.template bound<value>(largest_chunk(owner));
    }

    // ---- The part that this peer owns.

    void serve_all(int peer, std::vector<task<>>& work)
    {
        round_.expect(peer, message_kind::contribution, owned_.size());
        for (std::size_t lane = 0; lane < lanes_for(round_.me()); ++lane)
            work.push_back(round_.blaming(peer, phase::contribution, serve(peer, lane)));
    }

    /// One lane of the conversation with `peer` about my part.
    task<> serve(int peer, std::size_t lane)
    {
        std::vector<std::byte> room(room_for_chunk(round_.me()));
        for (std::size_t c = lane; c < owned_.size(); c += lanes_for(round_.me())) {
            const auto size =
                co_await round_.recv(peer, round_.name(message_kind::contribution, c), room);
            if (c > 0) {
                co_await described_.opened();
            }
            const bool last = take(peer, c, bytes(room).first(size));
            if (last)
                co_await reduce(c);
            else
                co_await owned_[c].reduced.opened();
            co_await round_.send(peer, round_.name(message_kind::result, c), result(c));
        }
    }

    task<> serve_observer(int peer)
    {
        std::vector<task<>> lanes;
        for (std::size_t lane = 0; lane < lanes_for(round_.me()); ++lane)
            lanes.push_back(serve(peer, lane));
        try {
            co_await when_all(std::move(lanes));
            round_.served(peer);
        } catch (const std::system_error&) {
            // It stays on the list of those that were not served.
        }
    }

    /// Notes a peer's version of chunk `c`; true if it was the last one missing. The bytes stay in
    /// the lane's room until the lane moves on, which is after the reduction.
    bool take(int peer, std::size_t c, bytes message)
    {
        if (c == 0) {
            round_.check(peer, message);
            message = message.subspan(head);
        }
        auto& chunk = owned_[c];
        if (!contributes(round_.of(peer))) {
            if (!message.empty()) throw std::system_error(errc::bad_message, "nothing to add");
            return false;
        }
        const auto elements = chunk_at(round_.me(), c).size;
        const auto bound = codec_.template bound<value>(elements);
        if (message.size() > bound || (verbatim && message.size() != bound))
            throw std::system_error(errc::bad_message, "a chunk of the wrong size");
        if (chunk.versions.empty()) chunk.versions.resize(static_cast<std::size_t>(round_.size()));
        chunk.versions[static_cast<std::size_t>(peer)] = message;
        if (--chunk.awaited > 0) return false;
        if (c == 0) described_.open();
        return true;
    }

    /// Reduces where nobody else contributes, and notes when all of my part is done.
    task<> watch_part()
    {
        for (std::size_t c = 0; c < owned_.size(); ++c) {
            if (others_ == 0)
                co_await reduce(c);
            else
                co_await owned_[c].reduced.opened();
        }
        loop& on = co_await this_loop{};
        round_.part_reduced(plan_.parts[static_cast<std::size_t>(round_.me())].size, on.now());
    }

    task<> reduce(std::size_t c)
    {
        const auto weights = round_.contributors_weights();
        std::vector<value> scratch;
        if (!spare_.empty()) {
            scratch = std::move(spare_.back());
            spare_.pop_back();
        }
        auto fold = [&] { fold_chunk(c, weights, scratch); };
        try {
            co_await offload(pool_, fold);
        } catch (const round_error&) {
            throw;
        } catch (const std::system_error& failure) {
            // A result beyond what the codec takes is nobody's fault alone.
            throw round_error(failure.code(), -1, round_.me(), phase::contribution,
                              "the result: " + sentence(failure));
        }
        spare_.push_back(std::move(scratch));
        owned_[c].versions.clear();
        owned_[c].reduced.open();
    }

    /// Reduces chunk `c` in rank order into `out`, as the others will decode it.
    void fold_chunk(std::size_t c, const std::vector<double>& weights, std::vector<value>& scratch)
    {
        const auto where = chunk_at(round_.me(), c);
        const auto out = out_.subspan(where.begin, where.size);
        if constexpr (verbatim) {
            std::vector<std::span<const T>> versions;
            for (int peer = 0; peer < round_.size(); ++peer)
                if (contributes(round_.of(peer))) versions.push_back(version(peer, c, where));
            op_.reduce(std::span<const std::span<const T>>(versions), weights, out);
        } else {
            fold_encoded(owned_[c], where, weights, scratch, out);
        }
    }

    std::span<const T> version(int peer, std::size_t c, part where) const
    {
        if (peer == round_.me()) return in_.subspan(where.begin, where.size);
        const auto came = owned_[c].versions[static_cast<std::size_t>(peer)];
        return {reinterpret_cast<const T*>(came.data()), where.size};
    }

    /// My own version passes through the codec like everybody's: the result does not depend on who
    /// owns the part.
    void fold_encoded(owned_chunk& chunk, part where, const std::vector<double>& weights,
                      std::vector<value>& scratch, std::span<T> out)
    {
        if constexpr (sliced_codec<Codec, value> && sliced_codec<back_codec, value>)
            fold_slices(chunk, where, weights, scratch, out);
        else
            fold_whole(chunk, where, weights, scratch, out);
    }

    /// Slice by slice, so that what is decoded, added up and encoded stays in the cache.
    void fold_slices(owned_chunk& chunk, part where, const std::vector<double>& weights,
                     std::vector<value>& scratch, std::span<T> out)
    {
        constexpr auto most = slice_size<common_granule<Codec>>;
        const auto n = where.size;
        const auto peers = contributors();
        const auto codec = codec_at(codec_, where.begin);
        const auto back = codec_at(back_, where.begin);
        chunk.encoded.resize(back.template bound<value>(n));
        std::vector<value> reduced(std::min(most, n));
        std::vector<std::byte> own(codec_.template bound<value>(reduced.size()));
        for (std::size_t begin = 0; begin < n; begin += most) {
            const part slice{where.begin + begin, std::min(most, n - begin)};
            const auto read = [&](std::size_t k, std::span<value> to, auto adds) {
                if (peers[k] == round_.me()) {
                    const auto mine = codec_at(codec_, slice.begin);
                    read_slice(mine, encode(slice, own), 0, slice.size, to, adds);
                } else {
                    blaming_bytes(peers[k], [&] {
                        const auto came = chunk.versions[static_cast<std::size_t>(peers[k])];
                        read_slice(codec, came, begin, n, to, adds);
                    });
                }
            };
            const auto to = std::span(reduced).first(slice.size);
            reduce_slice(op_, std::span(weights), read, scratch, to);
            back.encode_slice(std::span<const value>(to), begin, n, chunk.encoded);
            unpack_slice(back, chunk.encoded, begin, n, to, out.subspan(begin, slice.size));
        }
    }

    template <class Adds>
    static void read_slice(const Codec& codec, bytes encoded, std::size_t begin, std::size_t n,
                           std::span<value> to, Adds)
    {
        if constexpr (Adds::value)
            codec.accumulate_slice(encoded, begin, n, to);
        else
            codec.decode_slice(encoded, begin, n, to);
    }

    static void unpack_slice(const back_codec& back, bytes encoded, std::size_t begin,
                             std::size_t n, std::span<value> wide, std::span<T> out)
    {
        if constexpr (std::same_as<value, T>) {
            back.decode_slice(encoded, begin, n, out);
        } else {
            back.decode_slice(encoded, begin, n, wide);
            std::ranges::transform(wide, out.begin(), [](value x) { return static_cast<T>(x); });
        }
    }

    void fold_whole(owned_chunk& chunk, part where, const std::vector<double>& weights,
                    std::vector<value>& scratch, std::span<T> out)
    {
        const auto n = where.size;
        const auto room = n * (weights.size() + 1);
        if (scratch.size() < room) scratch.resize(room);
        const auto decoded = std::span(scratch).first(room);
        const auto codec = codec_at(codec_, where.begin);
        const auto back = codec_at(back_, where.begin);
        std::vector<std::byte> own(codec.template bound<value>(n));
        std::vector<std::span<const value>> versions;
        for (const int peer : contributors()) {
            const auto to = decoded.subspan(versions.size() * n, n);
            versions.push_back(to);
            if (peer == round_.me())
                codec.decode(encode(where, own), to);
            else
                blaming_bytes(peer, [&] {
                    codec.decode(chunk.versions[static_cast<std::size_t>(peer)], to);
                });
        }
        const auto reduced = decoded.last(n);
        op_.reduce(std::span<const std::span<const value>>(versions), weights, reduced);
        chunk.encoded.resize(back.template bound<value>(n));
        chunk.encoded.resize(back.encode(std::span<const value>(reduced), chunk.encoded));
        decode(where, chunk.encoded, out);
    }

    /// In rank order.
    std::vector<int> contributors() const
    {
        std::vector<int> peers;
        for (int peer = 0; peer < round_.size(); ++peer)
            if (contributes(round_.of(peer))) peers.push_back(peer);
        return peers;
    }

    /// What cannot be decoded is the fault of the peer that sent it.
    template <class Decode>
    void blaming_bytes(int peer, const Decode& decoding) const
    {
        try {
            decoding();
        } catch (const std::system_error& failure) {
            throw round_error(failure.code(), peer, round_.me(), phase::contribution,
                              sentence(failure));
        }
    }

    bytes result(std::size_t c) const
    {
        if constexpr (verbatim) {
            const auto where = chunk_at(round_.me(), c);
            return std::as_bytes(out_.subspan(where.begin, where.size));
        } else {
            return owned_[c].encoded;
        }
    }

    // ---- The parts that others own.

    /// Lane by lane, and in each from my neighbour on around the ring: early chunks go out to all
    /// owners first, and no owner is everybody's first.
    void exchange_all(std::vector<task<>>& work)
    {
        std::size_t most = 0;
        for (int owner = 0; owner < round_.size(); ++owner) {
            if (owner == round_.me()) continue;
            round_.expect(owner, message_kind::result, chunks_of(owner));
            most = std::max(most, lanes_for(owner));
        }
        for (std::size_t lane = 0; lane < most; ++lane) {
            for (int step = 1; step < round_.size(); ++step) {
                const int owner = (round_.me() + step) % round_.size();
                if (lane >= lanes_for(owner)) continue;
                work.push_back(round_.blaming(owner, phase::result, exchange(owner, lane)));
            }
        }
    }

    /// One lane of the conversation with `owner` about its part.
    task<> exchange(int owner, std::size_t lane)
    {
        std::vector<std::byte> room;
        for (std::size_t c = lane; c < chunks_of(owner); c += lanes_for(owner)) {
            const auto where = chunk_at(owner, c);
            bytes message;
            auto prepare = [&] { message = contribution(owner, c, room); };
            if constexpr (verbatim)
                prepare();
            else
                co_await offload(pool_, prepare);
            co_await round_.send(owner, round_.name(message_kind::contribution, c), message);

            const auto t = round_.name(message_kind::result, c);
            const auto out = out_.subspan(where.begin, where.size);
            if constexpr (verbatim) {
                const auto size = co_await round_.recv(owner, t, std::as_writable_bytes(out));
                if (size != out.size_bytes())
                    throw std::system_error(errc::bad_message, "a result of the wrong size");
            } else {
                room.resize(room_for_result(owner));
                const auto size = co_await round_.recv(owner, t, room);
                auto unpack = [&] { decode(where, bytes(room).first(size), out); };
                co_await offload(pool_, unpack);
            }
        }
    }

    /// What I send to `owner` for chunk `c`: my version of it, behind the descriptor if it is the
    /// first; from those who contribute nothing, no more than a request for the result.
    bytes contribution(int owner, std::size_t c, std::vector<std::byte>& room)
    {
        const bool first = c == 0;
        const auto where = chunk_at(owner, c);
        const auto mine = in_.subspan(contributes(round_.mine()) ? where.begin : 0,
                                      contributes(round_.mine()) ? where.size : 0);
        if (verbatim && !first) return std::as_bytes(mine);
        const auto before = first ? head : 0;
        room.resize(room_for_chunk(owner));
        if (first) std::ranges::copy(wire::encode(round_.call()), room.begin());
        if (mine.empty()) return bytes(room).first(before);
        const auto size = encode(where, std::span(room).subspan(before)).size();
        return bytes(room).first(before + size);
    }

    // ---- Between elements and what travels.

    /// Encodes my version of `where`. What the codec cannot take is this peer's own fault.
    bytes encode(part where, mutable_bytes room) const
    {
        const auto mine = in_.subspan(where.begin, where.size);
        const auto codec = codec_at(codec_, where.begin);
        try {
            if constexpr (std::same_as<value, T>) {
                return room.first(codec.encode(mine, room));
            } else {
                std::vector<value> wide(mine.size());
                std::ranges::transform(mine, wide.begin(),
                                       [](T x) { return static_cast<value>(x); });
                return room.first(codec.encode(std::span<const value>(wide), room));
            }
        } catch (const std::system_error& failure) {
            throw round_error(failure.code(), round_.me(), round_.me(), phase::contribution,
                              sentence(failure));
        }
    }

    /// Decodes the result of `where`.
    void decode(part where, bytes encoded, std::span<T> out) const
    {
        const auto back = codec_at(back_, where.begin);
        if constexpr (std::same_as<value, T>) {
            back.decode(encoded, out);
        } else {
            std::vector<value> wide(out.size());
            back.decode(encoded, std::span(wide));
            std::ranges::transform(wide, out.begin(), [](value x) { return static_cast<T>(x); });
        }
    }

    round& round_;
    const direct_plan& plan_;
    std::span<const T> in_;
    std::span<T> out_;
    Op op_;
    Codec codec_;
    back_codec back_;
    workers* pool_;
    std::deque<owned_chunk> owned_;          // my part
    std::size_t others_ = 0;                 // who contribute beside me
    std::vector<std::vector<value>> spare_;  // room for decoded versions, used again and again
    gate described_;  // a first chunk has come from each: the weights are known
};

}  // namespace papilio::detail
