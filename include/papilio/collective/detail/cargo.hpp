#pragma once

#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/detail/packing.hpp>
#include <papilio/collective/detail/plan.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace papilio::detail {

/// Where a call's elements are. `in` holds the whole vector, or, in an all_gather, this peer's
/// part; `out` the whole, or, in a reduce_scatter of a single stage, the part.
template <element T>
struct buffers {
    std::span<const T> in = {};
    std::span<T> out = {};
    std::size_t in_begin = 0;  // of the first element, in the whole vector
    std::size_t out_begin = 0;
};

/// What travels in a call, and how it lies in messages. A message of the last stage is about a
/// column of one part; earlier ones are about several, each behind its length.
///
/// In the first stage a peer sends what is its own, by the codec. What an operation has made of
/// several versions travels by the codec for the way back, there and back: the other one may be
/// for what a single peer has to say.
template <element T, class Codec>
class cargo {
public:
    static constexpr bool verbatim = std::same_as<Codec, identity>;
    static constexpr std::size_t head = wire::descriptor::encoded_size;
    using back_codec = codec_back_t<Codec>;
    using value = carried<Codec, T>;
    using back_value = carried<back_codec, T>;

    cargo(const call_plan& plan, buffers<T> data, Codec codec, int me)
        : plan_(plan), data_(data), codec_(codec), back_(codec_back(codec)), me_(me)
    {
    }

    const Codec& codec() const noexcept { return codec_; }
    const back_codec& back() const noexcept { return back_; }

    std::span<const T> input(part where) const
    {
        return data_.in.subspan(where.begin - data_.in_begin, where.size);
    }
    std::span<T> output(part where) const
    {
        return data_.out.subspan(where.begin - data_.out_begin, where.size);
    }

    /// This peer's version in stage k: what it has been given, or what the stage before has left
    /// where the result goes.
    std::span<const T> version(int k, part where) const
    {
        return k == 0 ? input(where) : output(where);
    }

    /// The most bytes of a version of `parts`, and of results, with a descriptor.
    std::size_t room_for_version(int k, std::span<const int> parts) const
    {
        return k == 0 ? room(codec_, parts) : room(back_, parts);
    }
    std::size_t room_for_results(std::span<const int> parts) const { return room(back_, parts); }

    /// Writes this peer's version of column c of `parts`; returns its size.
    std::size_t write_version(int k, std::size_t c, std::span<const int> parts,
                              mutable_bytes room) const
    {
        const auto from = [&](part where) { return version(k, where); };
        return k == 0 ? write(codec_, k, c, parts, from, room)
                      : write(back_, k, c, parts, from, room);
    }

    std::size_t write_results(int k, std::size_t c, std::span<const int> parts,
                              mutable_bytes room) const
    {
        const auto from = [&](part where) { return std::span<const T>(output(where)); };
        return write(back_, k, c, parts, from, room);
    }

    void read_results(int k, std::size_t c, std::span<const int> parts, bytes message) const
    {
        const auto found = runs(k, parts, message);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto where = plan_.chunk(parts[i], c);
            unpack(back_, where.begin, found[i], output(where));
        }
    }

    /// Somebody's version of column c of `parts`, apart; throws `errc::bad_message` for a size that
    /// cannot be.
    std::vector<bytes> split_version(int k, std::size_t c, std::span<const int> parts,
                                     bytes message) const
    {
        auto found = runs(k, parts, message);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto size = plan_.chunk(parts[i], c).size;
            if (!(k == 0 ? fits(codec_, found[i], size) : fits(back_, found[i], size)))
                throw std::system_error(errc::bad_message, "a chunk of the wrong size");
        }
        return found;
    }

    /// Encodes column c of this peer's own part for all, and makes of its elements what they will
    /// have.
    std::vector<std::byte> encode_own(std::size_t c) const
    {
        const auto where = plan_.chunk(me_, c);
        std::vector<std::byte> encoded;
        if constexpr (verbatim) {
            std::ranges::copy(input(where), output(where).begin());
        } else {
            encoded.resize(bound(back_, where.size));
            encoded.resize(pack_own(back_, 0, where.begin, input(where), encoded));
            unpack(back_, where.begin, encoded, output(where));
        }
        return encoded;
    }

private:
    template <class C>
    static std::size_t bound(const C& codec, std::size_t elements)
    {
        return elements == 0 ? 0 : codec.template bound<carried<C, T>>(elements);
    }

    /// Elements that travel as they are will be read where they lie.
    template <class C>
    static bool fits(const C& codec, bytes run, std::size_t elements)
    {
        const auto most = bound(codec, elements);
        return std::same_as<C, identity> ? run.size() == most : run.size() <= most;
    }

    template <class C>
    std::size_t room(const C& codec, std::span<const int> parts) const
    {
        std::size_t size = head;
        for (const int p : parts)
            size += run_size(
                bound(codec, largest_chunk(plan_.part_size(p), plan_.granule, plan_.columns)));
        return size;
    }

    bool last(int k) const { return k + 1 == plan_.stages.stages(); }

    std::vector<bytes> runs(int k, std::span<const int> parts, bytes message) const
    {
        return last(k) ? std::vector<bytes>{message} : runs_of(message, parts.size());
    }

    template <class C, class From>
    std::size_t write(const C& codec, int k, std::size_t c, std::span<const int> parts,
                      const From& from, mutable_bytes room) const
    {
        const auto before = last(k) ? 0 : length_size;
        std::size_t size = 0;
        for (const int p : parts) {
            const auto where = plan_.chunk(p, c);
            const auto n =
                pack_own(codec, k, where.begin, from(where), room.subspan(size + before));
            size += last(k) ? n : close_run(room.subspan(size), n);
        }
        return size;
    }

    /// What the codec cannot take is this peer's own fault, or nobody's once it is a sum.
    template <class C>
    std::size_t pack_own(const C& codec, int k, std::size_t begin, std::span<const T> values,
                         mutable_bytes room) const
    {
        try {
            return pack(codec, begin, values, room);
        } catch (const std::system_error& failure) {
            throw call_error(failure.code(), k == 0 ? me_ : -1, me_, phase::contribution,
                             sentence(failure));
        }
    }

    const call_plan& plan_;
    buffers<T> data_;
    Codec codec_;
    back_codec back_;
    int me_;
};

}  // namespace papilio::detail
