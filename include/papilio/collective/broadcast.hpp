#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/setup/checks.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/plan/role.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace papilio {

/// Gives every peer of `net` the `data` of peer `root`: the root scatters it and all pass their
/// part on, so that nobody sends more than about twice the data however many peers there are. (R.
/// van de Geijn's method; an all_reduce to which the root alone contributes.) Under a lossy codec
/// the root, too, ends with what the others decode.
///
/// `data` is as long on every peer and outlives the task. It is replaced when all hold the result;
/// on an error it is untouched, and the `call_error` names the culprit. Takes as much memory
/// again. `options.roles` are the call's own.
template <transport Net, detail::writable_elements Data, class Codec = identity>
task<report> broadcast(Net& net, Data&& data, int root, Codec codec = {},
                       call_options options = {});

// Options come last, and the codec before them may be left out.

template <transport Net, detail::writable_elements Data>
task<report> broadcast(Net& net, Data&& data, int root, call_options options)
{
    return broadcast(net, std::forward<Data>(data), root, identity{}, options);
}

namespace detail {

inline task<report> run_broadcast(any_transport net, std::unique_ptr<call_data> data, int root,
                                  call_options options)
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
    task<report> reduced = run_all_reduce_staged(net, std::move(data), options);
    co_return co_await std::move(reduced);
}

}  // namespace detail

template <transport Net, detail::writable_elements Data, class Codec>
task<report> broadcast(Net& net, Data&& data, int root, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Data>;
    detail::check_kinds<T, sum, Codec>();
    const std::span<T> all(std::ranges::data(data), std::ranges::size(data));
    const std::span<const T> mine = net.rank() == root ? all : std::span<T>{};
    return detail::run_broadcast(any_transport(net),
                                 detail::make_call_data<T>(mine, all, sum{}, codec), root, options);
}

}  // namespace papilio
