#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/engine/butterfly_engine.hpp>
#include <papilio/collective/engine/small_all_reduce.hpp>
#include <papilio/collective/engine/staging_buffer.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whoever asks for stages or for chunks of a size gets them.
inline bool is_small_call(const call_plan& plan, std::size_t total, const call_options& o)
{
    const bool all_full = std::ranges::count(plan.roles, role::full) == std::ssize(plan.roles);
    return is_small(total, plan.roles.size()) && all_full && o.chunk_bytes == 0 &&
           plan.stages.stages() == 1;
}

PAPILIO_DECL task<report> run_all_reduce(any_transport net, std::unique_ptr<call_data> data,
                                         call_options options)
{
    const auto begin = co_await now();
    const auto& kind = data->kind();
    const auto count = data->out_elements();
    check_stages(kind, options);
    const auto plan = plan_by_shares(net.size(), count, kind, options);
    const bool needs_in =
        options.weight > 0 && contributes(plan.roles[static_cast<std::size_t>(net.rank())]);
    if (data->in_elements() != count && (needs_in || !data->in().empty()))
        refuse("all_reduce: in has " + std::to_string(data->in_elements()) + " elements and out " +
               std::to_string(count));
    check_apart(*data);
    const auto described = describe(collective_id::all_reduce, net, count, kind, plan, options);
    call_run call(net, described, plan, begin, options.timeout);
    if (is_small_call(plan, data->out().size(), options)) {
        small_all_reduce engine(call, plan, *data);
        task<report> voted = call.run(engine.move());
        co_return co_await std::move(voted);
    }
    butterfly_engine engine(call, plan, phases::both, *data, options.pool);
    task<report> voted = call.run(engine.move(), engine.serve_observers());
    co_return co_await std::move(voted);
}

PAPILIO_DECL task<report> run_all_reduce_in_place(any_transport net,
                                                  std::unique_ptr<call_data> data,
                                                  call_options options)
{
    const auto out = data->out();
    const auto& kind = data->kind();
    const auto plan = plan_by_shares(net.size(), data->out_elements(), kind, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    const bool whole = plan.receives(net.rank());
    const auto begin = whole ? 0 : mine.begin * kind.element_size;
    const auto size = whole ? out.size() : mine.size * kind.element_size;
    const staging_buffer staging(out.size());
    data->set_out(staging.get());
    task<report> reduced = run_all_reduce(std::move(net), std::move(data), options);
    auto done = co_await std::move(reduced);
    if (size > 0) std::memcpy(out.data() + begin, staging.get().data() + begin, size);
    co_return done;
}

PAPILIO_DECL task<report> run_reduce_scatter(any_transport net, std::unique_ptr<call_data> data,
                                             call_options options)
{
    const auto begin = co_await now();
    const auto& kind = data->kind();
    const auto count = data->in_elements();
    check_stages(kind, options);
    const auto plan = plan_by_sizes(net.size(), count, kind, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (data->out_elements() != mine.size)
        refuse("reduce_scatter: out has " + std::to_string(data->out_elements()) +
               " elements, and this peer's part " + std::to_string(mine.size));
    check_apart(*data);

    // In several stages, sums on their way to others lie where their parts are in the whole.
    const bool in_stages = plan.stages.stages() > 1;
    const auto out = data->out();
    const staging_buffer whole(in_stages ? data->in().size() : 0);
    if (in_stages)
        data->set_out(whole.get());
    else
        data->set_out_begin(mine.begin);

    const auto described = describe(collective_id::reduce_scatter, net, count, kind, plan, options);
    call_run call(net, described, plan, begin, options.timeout);
    butterfly_engine engine(call, plan, phases::reduce_scatter, *data, options.pool);
    task<report> voted = call.run(engine.move());
    auto done = co_await std::move(voted);
    if (in_stages && !out.empty()) std::memcpy(out.data(), data->output(mine).data(), out.size());
    co_return done;
}

PAPILIO_DECL task<report> run_all_gather(any_transport net, std::unique_ptr<call_data> data,
                                         call_options options)
{
    const auto begin = co_await now();
    const auto& kind = data->kind();
    const auto count = data->out_elements();
    options.weight = 1;  // whatever it is
    const auto plan = plan_by_sizes(net.size(), count, kind, options);
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];
    if (data->in_elements() != mine.size)
        refuse("all_gather: in has " + std::to_string(data->in_elements()) +
               " elements, and this peer's part " + std::to_string(mine.size));
    check_apart(*data);
    data->set_in_begin(mine.begin);

    const auto described = describe(collective_id::all_gather, net, count, kind, plan, options);
    call_run call(net, described, plan, begin, options.timeout);
    butterfly_engine engine(call, plan, phases::all_gather, *data, options.pool);
    task<report> voted = call.run(engine.move());
    auto done = co_await std::move(voted);
    std::vector<contributions> owners;
    for (const auto& all = done.made_of.front().from; const auto& owner : all)
        owners.push_back({plan.parts[static_cast<std::size_t>(owner.rank)], {owner}});
    done.made_of = std::move(owners);
    co_return done;
}

PAPILIO_DECL task<report> run_broadcast(any_transport net, std::unique_ptr<call_data> data,
                                        int root, call_options options)
{
    const auto peers = static_cast<std::size_t>(net.size());
    if (root < 0 || root >= net.size())
        refuse("broadcast: the root is a peer of the group, 0 to " + std::to_string(peers - 1) +
               ", not " + std::to_string(root));
    if (!options.roles.empty())
        refuse("broadcast: the root alone contributes: leave call_options::roles out");
    std::vector<role> roles(peers, role::auxiliary);
    roles[static_cast<std::size_t>(root)] = role::full;
    options.roles = roles;
    options.auxiliaries_receive = true;
    options.weight = 1;  // whatever it is
    task<report> reduced = run_all_reduce_in_place(net, std::move(data), options);
    co_return co_await std::move(reduced);
}

PAPILIO_DECL task<report> run_barrier(any_transport net, call_options options)
{
    const auto begin = co_await now();
    const auto kind = kind_of<std::uint8_t, sum>(identity{});
    options.weight = 1;  // whatever it is
    const auto plan = plan_by_shares(net.size(), 0, kind, options);
    const auto described = describe(collective_id::barrier, net, 0, kind, plan, options);
    call_run call(net, described, plan, begin, options.timeout);
    task<report> voted = call.run(no_work());
    co_return co_await std::move(voted);
}

}  // namespace papilio::detail
