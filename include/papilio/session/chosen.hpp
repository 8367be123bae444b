#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/op/base.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace papilio::inline PAPILIO_MODE {

struct identity;
struct as_f16;
struct as_bf16;
struct f16b;
struct int8b;
template <std::size_t Block>
struct int4b;
struct nf4b;
template <std::size_t K, class Values, class Places, std::size_t Chunk>
struct topk;

namespace detail {

// clang-format off
template <class T>
concept with_op_id = requires { { T::id } -> std::convertible_to<op_id>; };

template <class T>
concept with_codec_id = requires { { T::id } -> std::convertible_to<codec_id>; };
// clang-format on

/// Whether a codec is one of the library's as it is, neither a user's nor one around another:
/// what those do does not follow from an id.
template <class Codec>
inline constexpr bool is_plain = is_one_of<Codec, identity, as_f16, as_bf16, f16b, int8b, nf4b>;
template <std::size_t Block>
inline constexpr bool is_plain<int4b<Block>> = true;
template <std::size_t K, class Values, class Places, std::size_t Chunk>
inline constexpr bool is_plain<topk<K, Values, Places, Chunk>> = true;

}  // namespace detail

/// An operation of the library's, chosen at run time: `mean{}`, or an `op_id`.
class chosen_op {
public:
    constexpr chosen_op() noexcept = default;
    constexpr chosen_op(op_id id) noexcept : id_(id) {}

    template <class Op>
    requires std::is_class_v<Op>  //
    constexpr chosen_op(const Op&) noexcept
    {
        static_assert(!detail::with_codec_id<Op>,
                      "a codec where an operation is expected: the operation comes first, as in "
                      "mean{}, int8b{}");
        static_assert(detail::with_op_id<Op> || detail::with_codec_id<Op>,
                      "not an operation: pass sum{}, mean{} or another one of op.hpp");
        if constexpr (detail::with_op_id<Op>) {
            static_assert(Op::id < op_id::first_user,
                          "this call is compiled for the library's operations: for one of your "
                          "own, make it in a transport, by collective/all_reduce.hpp");
            id_ = Op::id;
        }
    }

    constexpr op_id id() const noexcept { return id_; }

private:
    op_id id_ = op_id::sum;
};

/// A codec of the library's, chosen at run time: `int8b{}`, or a `codec_id`, which means the one
/// with the parameters that are usual (see `all_codecs`).
class chosen_codec {
public:
    constexpr chosen_codec() noexcept = default;
    constexpr chosen_codec(codec_id id) noexcept : id_(id) {}

    template <class Codec>
    requires std::is_class_v<Codec>  //
    constexpr chosen_codec(const Codec& codec) noexcept
    {
        static_assert(!detail::with_op_id<Codec>,
                      "an operation where a codec is expected: pass identity{}, int8b{} or "
                      "another one of codec.hpp, or leave it out");
        static_assert(detail::is_plain<Codec> || detail::with_op_id<Codec>,
                      "this call is compiled for some of the library's codecs, as they are "
                      "(session/chosen.hpp): for another one, make it in a transport, by "
                      "collective/all_reduce.hpp");
        if constexpr (detail::is_plain<Codec>) {
            id_ = Codec::id;
            usual_ = false;
            parameters_ = detail::codec_parameters(codec);
        }
    }

    constexpr codec_id id() const noexcept { return id_; }

    /// Whether the parameters are those that are usual, whatever these are.
    constexpr bool is_usual() const noexcept { return usual_; }

    /// Else what `codec_parameters` has said.
    constexpr std::uint64_t parameters() const noexcept { return parameters_; }

private:
    codec_id id_ = codec_id::identity;
    bool usual_ = true;
    std::uint64_t parameters_ = 0;
};

}  // namespace papilio
