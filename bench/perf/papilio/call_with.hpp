#pragma once

#include "perf/papilio/call.hpp"

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/with_op.hpp>

namespace papilio::perf {

template <element T, class Op, class Codec>
task<report> call_with(any_transport net, const void* in, void* out, std::size_t count,
                       call_options options)
{
    const std::span<T> to(static_cast<T*>(out), count);
    if (!in) return all_reduce_in_place(net, to, Op{}, Codec{}, options);
    return all_reduce(net, std::span<const T>(static_cast<const T*>(in), count), to, Op{}, Codec{},
                      options);
}

/// The calls of all operations with identity.
template <element T>
call_function plain_call(reduction op)
{
    if constexpr (floating_element<T>)
        if (op == reduction::avg) return call_with<T, papilio::mean, identity>;
    if (op == reduction::avg) return nullptr;
    return with_op(integer_ops{}, id_of(op), [](auto reduce) -> call_function {
        return call_with<T, decltype(reduce), identity>;
    });
}

// Each type has a source file of its own, so that the compiler works on them in parallel.
extern template call_function plain_call<float>(reduction);
extern template call_function plain_call<double>(reduction);
extern template call_function plain_call<f16>(reduction);
extern template call_function plain_call<bf16>(reduction);
extern template call_function plain_call<std::int8_t>(reduction);
extern template call_function plain_call<std::uint8_t>(reduction);
extern template call_function plain_call<std::int32_t>(reduction);
extern template call_function plain_call<std::uint32_t>(reduction);
extern template call_function plain_call<std::int64_t>(reduction);
extern template call_function plain_call<std::uint64_t>(reduction);

/// A call of a collective other than all_reduce on floats, or null.
call_function other_call(collective what, reduction op);

/// A sum or mean of floats with a codec, or null.
call_function coded_call(reduction op, const std::string& codec);

}  // namespace papilio::perf
