#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/float16.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/f16b.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/nf4b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/with_codec.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/op/with_op.hpp>
#include <papilio/session/chosen.hpp>
#include <papilio/session/elements_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>

// What is compiled for calls whose types are chosen at run time: every operation on the usual types
// of elements as they lie, and the usual lossy codecs for floats, under the operations that
// training uses. Each further one costs whoever compiles papilio a quarter of a second.
namespace papilio::inline PAPILIO_MODE::detail {

using lossy_codecs =
    codec_list<as_f16, f16b, as_bf16, int8b, int4b<32>, int4b<128>, nf4b, topk<64>>;
using lossy_ops = op_list<sum, mean, weighted_mean>;

template <class T>
using ops_on = std::conditional_t<integer_element<T>, integer_ops, all_ops>;

/// Data and result of a call whose types are not known yet.
struct untyped_data {
    const_elements_ref in;
    elements_ref out;
    chosen_op op;
    chosen_codec codec;
};

inline const char* name_of(op_id id) noexcept
{
    switch (id) {
    case op_id::sum: return "sum";
    case op_id::mean: return "mean";
    case op_id::weighted_mean: return "weighted_mean";
    case op_id::min: return "min";
    case op_id::max: return "max";
    case op_id::prod: return "prod";
    case op_id::exact_mean: return "exact_mean";
    case op_id::first_user: break;
    }
    return "an unknown operation";
}

[[noreturn]] inline void refuse_choice(const untyped_data& d, const std::string& why)
{
    throw std::system_error(errc::bad_argument, std::string(name_of(d.op.id())) + " of " +
                                                    name(d.out.type()) + " by " +
                                                    name(d.codec.id()) + " is not offered: " + why);
}

template <class T, class Op, class Codec>
std::unique_ptr<call_data> typed_data_of(const untyped_data& d, Op op, Codec codec)
{
    if (!d.codec.is_usual() && d.codec.parameters() != codec_parameters(codec))
        refuse_choice(d, "this codec has other parameters than the usual ones");
    return make_call_data<T>({static_cast<const T*>(d.in.data()), d.in.size()},
                             {static_cast<T*>(d.out.data()), d.out.size()}, op, codec);
}

template <class T, class... Ops, class Codec>
std::unique_ptr<call_data> data_with_op(const untyped_data& d, op_list<Ops...>, Codec codec)
{
    std::unique_ptr<call_data> made;
    const auto make = [&](auto op) {
        if constexpr (operation_takes<decltype(op), T>()) made = typed_data_of<T>(d, op, codec);
    };
    ((Ops::id == d.op.id() ? make(Ops{}) : void()), ...);
    if (!made) {
        std::string names;
        const auto add = [&](op_id id) {
            names += (names.empty() ? "" : ", ") + std::string(name_of(id));
        };
        ((operation_takes<Ops, T>() ? add(Ops::id) : void()), ...);
        refuse_choice(d, "by this codec these elements are reduced by " + names);
    }
    return made;
}

template <class... Codecs>
std::unique_ptr<call_data> data_with_lossy_codec(const untyped_data& d, codec_list<Codecs...>)
{
    std::unique_ptr<call_data> made;
    const auto make = [&](auto codec) { made = data_with_op<float>(d, lossy_ops{}, codec); };
    ((Codecs::id == d.codec.id() ? make(Codecs{}) : void()), ...);
    if (!made) {
        std::string names = name(codec_id::identity);
        ((names += ", " + std::string(name(Codecs::id))), ...);
        refuse_choice(d, "the codec must be one of " + names);
    }
    return made;
}

template <class T>
std::unique_ptr<call_data> data_of(const untyped_data& d)
{
    if (d.codec.id() == codec_id::identity) return data_with_op<T>(d, ops_on<T>{}, identity{});
    if constexpr (std::same_as<T, float>)
        return data_with_lossy_codec(d, lossy_codecs{});
    else
        refuse_choice(d, "lossy codecs are for elements of type f32");
}

/// The data of the call, by its types. Throws `errc::bad_argument` for those that are not compiled.
inline std::unique_ptr<call_data> data_of_choice(const untyped_data& d)
{
    if (d.in.type() != d.out.type())
        throw std::system_error(errc::bad_argument,
                                std::string("in and out hold elements of different types, ") +
                                    name(d.in.type()) + " and " + name(d.out.type()));
    switch (d.out.type()) {
    case element_type::f32: return data_of<float>(d);
    case element_type::f64: return data_of<double>(d);
    case element_type::f16: return data_of<f16>(d);
    case element_type::bf16: return data_of<bf16>(d);
    case element_type::i32: return data_of<std::int32_t>(d);
    case element_type::i64: return data_of<std::int64_t>(d);
    case element_type::u8: return data_of<std::uint8_t>(d);
    case element_type::u32: return data_of<std::uint32_t>(d);
    case element_type::u64: return data_of<std::uint64_t>(d);
    default: break;
    }
    refuse_choice(d, "the elements must be f32, f64, f16, bf16, i32, i64, u8, u32 or u64");
}

}  // namespace papilio::detail
