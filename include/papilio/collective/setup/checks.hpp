#pragma once

#include <papilio/base/config.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <cstdint>

// What all collectives have in common.
namespace papilio::inline PAPILIO_MODE::detail {

inline void check_stages(const call_kind& kind, const call_options& o)
{
    if (!kind.in_stages && o.radix.size() > 1)
        refuse(
            "this operation is right in a single stage only: leave call_options::radix out, or "
            "take another one, such as mean");
}

inline void check_apart(const call_data& data)
{
    const auto in = data.in();
    const bytes out = data.out();
    const auto address = [](const std::byte* of) { return reinterpret_cast<std::uintptr_t>(of); };
    if (!in.empty() && address(in.data()) < address(out.data() + out.size()) &&
        address(out.data()) < address(in.data() + in.size()))
        refuse("in and out overlap: to reduce in place, call all_reduce_in_place");
}

/// Which collective a call is, told to the others beside the operation.
enum class collective_id : std::uint8_t { all_reduce, reduce_scatter, all_gather, barrier, shrink };

inline wire::descriptor describe(collective_id which, const opened_call& call, std::size_t count,
                                 const call_kind& kind, const call_plan& plan,
                                 const call_options& o)
{
    return {.call = call.number(),
            .peers = static_cast<std::uint16_t>(plan.roles.size()),
            .element = kind.element,
            .op = kind.op,
            .codec = static_cast<std::uint8_t>(kind.codec),
            .back = static_cast<std::uint8_t>(kind.back),
            .count = count,
            .columns = plan.columns,
            .layout = hash(plan.layout, static_cast<std::uint8_t>(which)),
            .weight = o.weight + 0.0,  // not -0.0
            .attempt = call.attempt()};
}

}  // namespace papilio::detail
