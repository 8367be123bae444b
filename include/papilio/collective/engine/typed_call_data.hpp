#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/blame.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/pack.hpp>
#include <papilio/collective/engine/reduce_chunk.hpp>
#include <papilio/op/base.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

template <element T, class Op, class Codec>
call_kind kind_of(const Codec& codec)
{
    const auto back = codec_back(codec);
    return {.element = element_type_of<T>,
            .element_size = sizeof(T),
            .op = static_cast<std::uint8_t>(Op::id),
            .in_stages = suits_stages<Op>(),
            .uneven_stages = suits_uneven_stages<Op>(),
            .sums_count = counts_results<Op>(),
            .stages_alike = suits_stages<Op>() && suits_uneven_stages<Op>() &&
                            std::same_as<Codec, identity> && std::same_as<accumulator_t<T>, T>,
            .codec = Codec::id,
            .back = decltype(back)::id,
            .parameters = codec_parameters(codec),
            .back_parameters = codec_parameters(back),
            .granule = common_granule<Codec>,
            .verbatim = std::same_as<Codec, identity>};
}

/// The elements of a call in host memory.
template <element T, class Op, class Codec>
class typed_call_data final : public call_data {
public:
    typed_call_data(std::span<const T> in, std::span<T> out, Op op, Codec codec)
        : call_data(kind_of<T, Op>(codec), std::as_bytes(in), std::as_writable_bytes(out)),
          op_(op),
          codec_(codec),
          back_(codec_back(codec))
    {
    }

    std::size_t bound(content kind, std::size_t elements) const override
    {
        return kind == content::own ? bound(codec_, elements) : bound(back_, elements);
    }

    std::size_t encode(content kind, std::size_t begin, bytes elements,
                       mutable_bytes to) const override
    {
        const auto values = values_of(elements);
        return kind == content::own ? pack(codec_, begin, values, to)
                                    : pack(back_, begin, values, to);
    }

    void decode(std::size_t begin, bytes encoded, mutable_bytes elements) const override
    {
        unpack(back_, begin, encoded, values_of(elements));
    }

    void reduce(const chunk_input& chunk, pooled_buffer& scratch,
                std::vector<std::byte>* encoded) const override
    {
        const auto out = values_of(overwrite(chunk.where));
        if (chunk.kind == content::own) {
            check_sizes(codec_, chunk);
            reduce_chunk(op_, codec_, back_, chunk, scratch, out, encoded);
        } else {
            check_sizes(back_, chunk);
            reduce_results(chunk, scratch, out, encoded);
        }
    }

private:
    using back_codec = codec_back_t<Codec>;

    /// Results of as many contributions each are reduced as those were.
    void reduce_results(const chunk_input& chunk, pooled_buffer& scratch, std::span<T> out,
                        std::vector<std::byte>* encoded) const
    {
        if constexpr (counts_results<Op>()) {
            const auto differ = std::ranges::adjacent_find(
                chunk.weights, [](double a, double b) { return a != b; });
            if (differ != chunk.weights.end())
                return reduce_chunk(typename Op::of_results{}, back_, back_, chunk, scratch, out,
                                    encoded);
        }
        reduce_chunk(op_, back_, back_, chunk, scratch, out, encoded);
    }

    static std::span<const T> values_of(bytes elements)
    {
        return {reinterpret_cast<const T*>(elements.data()), elements.size() / sizeof(T)};
    }
    static std::span<T> values_of(mutable_bytes elements)
    {
        return {reinterpret_cast<T*>(elements.data()), elements.size() / sizeof(T)};
    }

    template <class C>
    static std::size_t bound(const C& codec, std::size_t elements)
    {
        return elements == 0 ? 0 : codec.template bound<carried<C, T>>(elements);
    }

    /// Elements that travel as they lie are read where they lie, so that their size must be right.
    template <class C>
    static void check_sizes(const C& codec, const chunk_input& chunk)
    {
        const auto most = bound(codec, chunk.where.size);
        for (const auto& c : chunk.from) {
            const auto size = c.data.size();
            const bool fits = std::same_as<C, identity> ? size == most : size <= most;
            if (c.peer >= 0 && !fits) throw wrong_size(c.peer, chunk.me, size, most);
        }
    }

    Op op_;
    Codec codec_;
    back_codec back_;
};

template <element T, class Op, class Codec>
std::unique_ptr<call_data> make_call_data(std::span<const T> in, std::span<T> out, Op op,
                                          Codec codec)
{
    return std::make_unique<typed_call_data<T, Op, Codec>>(in, out, op, codec);
}

}  // namespace papilio::detail
