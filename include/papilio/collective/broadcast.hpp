#pragma once

#include <papilio/codec/identity.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/detail/shadow.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/op/sum.hpp>

#include <algorithm>
#include <span>
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

template <element T, class Codec>
task<report> broadcast_span(any_transport net, std::span<T> data, int root, Codec codec,
                            call_options options)
{
    if (root < 0 || root >= net.size()) refuse("broadcast: the root is a peer of the group");
    if (!options.roles.empty()) refuse("broadcast: who contributes is the root: leave roles out");
    std::vector<role> roles(static_cast<std::size_t>(net.size()), role::auxiliary);
    roles[static_cast<std::size_t>(root)] = role::full;
    options.roles = roles;
    const shadow<T> room(data.size());
    const std::span<T> result = room.get();
    const std::span<const T> mine = net.rank() == root ? data : std::span<T>{};
    auto done = co_await all_reduce_spans<T>(net, mine, result, sum{}, codec, options);
    std::ranges::copy(result, data.begin());
    co_return done;
}

}  // namespace detail

template <transport Net, detail::writable_elements Data, class Codec>
task<report> broadcast(Net& net, Data&& data, int root, Codec codec, call_options options)
{
    using T = std::ranges::range_value_t<Data>;
    detail::check_kinds<T, sum, Codec>();
    return detail::broadcast_span<T, Codec>(any_transport(net),
                                            {std::ranges::data(data), std::ranges::size(data)},
                                            root, codec, options);
}

}  // namespace papilio
