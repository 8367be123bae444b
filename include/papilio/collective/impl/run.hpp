#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/index.hpp>
#include <papilio/base/kept_memory.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/agreement/call_run.hpp>
#include <papilio/collective/call_error.hpp>
#include <papilio/collective/engine/butterfly_engine.hpp>
#include <papilio/collective/engine/small_all_reduce.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/engine/undo_log.hpp>
#include <papilio/collective/engine/view_engine.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/call_plan.hpp>
#include <papilio/collective/setup/one_host.hpp>
#include <papilio/collective/setup/opened_call.hpp>
#include <papilio/collective/setup/planned_call.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/role.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
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

/// The call goes on when it loses peers, if the caller wants that: `how`, and as the options say.
inline void salvage_if_asked(call_run& call, const call_options& o, salvage how)
{
    how.uniform = o.uniform;
    how.min_peers = o.min_peers;
    how.on_straggler = o.on_straggler;
    how.patience = o.patience;
    if (o.salvage) call.salvage(how);
}

inline task<report> reduce_all(any_transport net, call_data& data, const planned_call& planned,
                               const call_options& options, time_point begin)
{
    call_run call(net, planned.described, planned.plan, begin, options.timeout);
    view_engine later(call.io(), planned.plan, data, options.pool);
    salvage_if_asked(call, options, {.mover = &later});
    if (is_small_call(planned.plan, data.out().size(), options)) {
        small_all_reduce engine(call, planned.plan, data);
        task<report> voted = call.run(engine.move());
        co_return co_await std::move(voted);
    }
    butterfly_engine engine(call, planned.plan, phases::both, data, options.pool);
    task<report> voted = call.run(engine.move(), engine.serve_observers());
    co_return co_await std::move(voted);
}

/// Builds the result in the data, and puts back what it held unless all agree, or the caller can do
/// without.
inline task<report> reduce_all_in_place(any_transport net, call_data& data,
                                        const planned_call& planned, const call_options& options,
                                        time_point begin)
{
    loop& on = co_await this_loop{};
    std::optional<undo_log> log;
    if (options.on_error == on_error::restored)
        data.set_undo_log(&log.emplace(on.memory(), data.out()));
    task<report> reduced = reduce_all(std::move(net), data, planned, options, begin);
    auto done = co_await std::move(reduced);
    if (log) log->keep_results();
    co_return done;
}

PAPILIO_DECL task<report> run_all_reduce(any_transport net, std::unique_ptr<call_data> data,
                                         call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    opened.wait_for_links();
    task<bool> asked = on_one_host(net, options);
    const bool one_host = co_await std::move(asked);
    const auto planned =
        opened.prepared(plan_all_reduce_apart, net, opened, *data, options, one_host);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    task<report> reduced = reduce_all(net, *data, *planned, options, begin);
    co_return co_await std::move(reduced);
}

PAPILIO_DECL task<report> run_all_reduce_in_place(any_transport net,
                                                  std::unique_ptr<call_data> data,
                                                  call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    opened.wait_for_links();
    task<bool> asked = on_one_host(net, options);
    const bool one_host = co_await std::move(asked);
    const auto planned =
        opened.prepared(plan_all_reduce_in_place, net, opened, *data, options, one_host);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    task<report> reduced = reduce_all_in_place(net, *data, *planned, options, begin);
    co_return co_await std::move(reduced);
}

PAPILIO_DECL task<report> run_reduce_scatter(any_transport net, std::unique_ptr<call_data> data,
                                             call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    const auto planned = opened.prepared(plan_reduce_scatter, net, opened, *data, options);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    const auto& plan = planned->plan;
    const auto mine = plan.parts[static_cast<std::size_t>(net.rank())];

    // In several stages, sums on their way to others lie where their parts are in the whole.
    const bool in_stages = plan.stages.stages() > 1;
    const auto out = data->out();
    loop& on = co_await this_loop{};
    const lent_memory whole(on.memory(), in_stages ? data->in().size() : 0);
    if (in_stages)
        data->set_out(whole.get());
    else
        data->set_out_begin(mine.begin);

    call_run call(net, planned->described, plan, begin, options.timeout);
    view_engine later(call.io(), plan, *data, options.pool);
    salvage_if_asked(call, options, {.scattered = true, .mover = &later});
    butterfly_engine engine(call, plan, phases::reduce_scatter, *data, options.pool);
    task<report> voted = call.run(engine.move());
    auto done = co_await std::move(voted);
    if (in_stages && !out.empty()) std::memcpy(out.data(), data->output(mine).data(), out.size());
    co_return done;
}

/// Of each part that is in the result, whose it is.
inline std::vector<contributions> owners_of(const call_plan& plan,
                                            const std::vector<contributions>& made_of)
{
    std::vector<contributions> owners;
    for (int owner = 0; owner < static_cast<int>(plan.parts.size()); ++owner) {
        const auto& own = plan.parts[index(owner)];
        if (std::ranges::any_of(made_of, [&](const contributions& made) {
                return made.range.begin <= own.begin && own.end() <= made.range.end();
            }))
            owners.push_back({own, {{owner, 1}}});
    }
    return owners;
}

PAPILIO_DECL task<report> run_all_gather(any_transport net, std::unique_ptr<call_data> data,
                                         call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    options.weight = 1;  // whatever it is
    const auto planned = opened.prepared(plan_all_gather, net, opened, *data, options);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    const auto& plan = planned->plan;
    data->set_in_begin(plan.parts[static_cast<std::size_t>(net.rank())].begin);

    call_run call(net, planned->described, plan, begin, options.timeout);
    view_engine later(call.io(), plan, *data, options.pool);
    salvage_if_asked(call, options, {.gathers = true, .mover = &later});
    butterfly_engine engine(call, plan, phases::all_gather, *data, options.pool);
    task<report> voted = call.run(engine.move());
    auto done = co_await std::move(voted);
    done.made_of = owners_of(plan, done.made_of);
    co_return done;
}

PAPILIO_DECL task<report> run_broadcast(any_transport net, std::unique_ptr<call_data> data,
                                        int root, call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    std::vector<role> roles(static_cast<std::size_t>(net.size()), role::auxiliary);
    const auto planned =
        opened.prepared(plan_broadcast, net, opened, *data, root, std::span(roles), options);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    task<report> reduced = reduce_all_in_place(net, *data, *planned, options, begin);
    co_return co_await std::move(reduced);
}

PAPILIO_DECL task<report> run_barrier(any_transport net, call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    options.weight = 1;  // whatever it is
    opened.wait_for_links();
    task<bool> asked = on_one_host(net, options);
    const bool one_host = co_await std::move(asked);
    const auto planned = opened.prepared(plan_barrier, net, opened, options, one_host);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_return co_await std::move(refused);
    }
    call_run call(net, planned->described, planned->plan, begin, options.timeout);
    salvage_if_asked(call, options, {});
    task<report> voted = call.run(no_work());
    co_return co_await std::move(voted);
}

inline task<std::vector<int>> find_who_is_left(any_transport net, call_options options)
{
    const auto begin = co_await now();
    opened_call opened(net, options);
    const std::uint8_t here = 1;
    std::uint8_t all = 0;
    const auto data = make_call_data<std::uint8_t>({&here, 1}, {&all, 1}, sum{}, identity{});
    const auto planned = opened.prepared(plan_shrink, net, opened, *data, options);
    if (!planned) {
        task<report> refused = opened.refuse();
        co_await std::move(refused);
    }
    task<report> reduced = reduce_all(net, *data, *planned, options, begin);
    const auto done = co_await std::move(reduced);
    std::vector<int> left;
    for (const auto& c : done.made_of.front().from) left.push_back(c.rank);
    if (!std::ranges::binary_search(left, net.rank()))
        throw call_error(errc::left_out, net.rank(), net.rank(), phase::vote,
                         "the others are a group without this peer");
    co_return left;
}

PAPILIO_DECL task<std::vector<int>> run_shrink(any_transport net, call_options options)
{
    return find_who_is_left(std::move(net), options_of_shrink(options));
}

}  // namespace papilio::detail
