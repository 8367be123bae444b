#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/collective/setup/one_host.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/wire/descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// What a peer works out of a call before it sends anything. The functions below throw
/// `errc::bad_argument` for what the caller got wrong.
struct planned_call {
    call_plan plan;
    wire::descriptor described;
};

inline planned_call described(collective_id which, const opened_call& call, std::size_t count,
                              const call_kind& kind, call_plan plan, const call_options& options)
{
    const auto d = describe(which, call, count, kind, plan, options);
    return {std::move(plan), d};
}

inline planned_call plan_all_reduce(const any_transport& net, const opened_call& call,
                                    const call_data& data, call_options options, bool one_host)
{
    const auto& kind = data.kind();
    const auto count = data.out_elements();
    check_stages(kind, options);
    std::vector<int> stages;
    if (one_host) suit_one_host(options, stages, net.size(), data.out().size(), kind);
    auto plan = plan_by_shares(net.size(), count, kind, options);
    const bool needs_in =
        options.weight > 0 && contributes(plan.roles[static_cast<std::size_t>(net.rank())]);
    if (data.in_elements() != count && (needs_in || !data.in().empty()))
        refuse("all_reduce: in has " + std::to_string(data.in_elements()) + " elements and out " +
               std::to_string(count));
    return described(collective_id::all_reduce, call, count, kind, std::move(plan), options);
}

/// The same where the result lies in place of the data.
inline planned_call plan_all_reduce_in_place(const any_transport& net, const opened_call& call,
                                             const call_data& data, const call_options& options,
                                             bool one_host)
{
    if (options.salvage && options.on_error == on_error::undefined)
        refuse(
            "call_options::salvage begins anew from the data when a peer is lost, and "
            "on_error::undefined does not keep it: leave one of them out");
    return plan_all_reduce(net, call, data, options, one_host);
}

/// The same where the result is not to lie in place of the data.
inline planned_call plan_all_reduce_apart(const any_transport& net, const opened_call& call,
                                          const call_data& data, const call_options& options,
                                          bool one_host)
{
    check_apart(data);
    return plan_all_reduce(net, call, data, options, one_host);
}

inline planned_call plan_reduce_scatter(const any_transport& net, const opened_call& call,
                                        const call_data& data, const call_options& options)
{
    const auto& kind = data.kind();
    const auto count = data.in_elements();
    check_stages(kind, options);
    auto plan = plan_by_sizes(net.size(), count, kind, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (data.out_elements() != mine.size)
        refuse("reduce_scatter: out has " + std::to_string(data.out_elements()) +
               " elements, and this peer's part " + std::to_string(mine.size));
    check_apart(data);
    return described(collective_id::reduce_scatter, call, count, kind, std::move(plan), options);
}

inline planned_call plan_all_gather(const any_transport& net, const opened_call& call,
                                    const call_data& data, const call_options& options)
{
    const auto& kind = data.kind();
    const auto count = data.out_elements();
    auto plan = plan_by_sizes(net.size(), count, kind, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (data.in_elements() != mine.size)
        refuse("all_gather: in has " + std::to_string(data.in_elements()) +
               " elements, and this peer's part " + std::to_string(mine.size));
    check_apart(data);
    return described(collective_id::all_gather, call, count, kind, std::move(plan), options);
}

inline void check_broadcast(int root, int peers, const call_options& options)
{
    if (root < 0 || root >= peers)
        refuse("broadcast: the root is a peer of the group, 0 to " + std::to_string(peers - 1) +
               ", not " + std::to_string(root));
    if (!options.roles.empty())
        refuse("broadcast: the root alone contributes: leave call_options::roles out");
}

/// Sets the options that make an all-reduce a broadcast; `roles`, one for each peer, are borrowed.
inline planned_call plan_broadcast(const any_transport& net, const opened_call& call,
                                   const call_data& data, int root, std::span<role> roles,
                                   call_options& options)
{
    check_broadcast(root, net.size(), options);
    roles[static_cast<std::size_t>(root)] = role::full;
    options.roles = std::span<const role>(roles);
    options.auxiliaries_receive = true;
    options.weight = 1;  // whatever it is
    return plan_all_reduce_in_place(net, call, data, options, false);
}

inline planned_call plan_barrier(const any_transport& net, const opened_call& call,
                                 call_options options, bool one_host)
{
    const auto kind = kind_of<std::uint8_t, sum>(identity{});
    std::vector<int> stages;
    if (one_host) suit_one_host(options, stages, net.size(), 0, kind);
    auto plan = plan_by_shares(net.size(), 0, kind, options);
    return described(collective_id::barrier, call, 0, kind, std::move(plan), options);
}

/// What a shrink is made of: everybody gives one element, and those who are left agree on whose are
/// in the sum. Of the caller's options it takes what has nothing to do with data.
inline call_options options_of_shrink(const call_options& of)
{
    call_options o;
    o.timeout = of.timeout;
    o.call = of.call;
    o.priority = of.priority;
    o.min_peers = of.min_peers;
    o.salvage = true;
    o.uniform = true;
    return o;
}

inline planned_call plan_shrink(const any_transport& net, const opened_call& call,
                                const call_data& data, const call_options& options)
{
    auto plan = plan_by_shares(net.size(), data.out_elements(), data.kind(), options);
    return described(collective_id::shrink, call, data.out_elements(), data.kind(), std::move(plan),
                     options);
}

}  // namespace papilio::detail
