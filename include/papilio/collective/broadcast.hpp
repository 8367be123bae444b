#pragma once

#include <papilio/base/config.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/collective/engine/typed_call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/collective/setup/misuse_of.hpp>
#include <papilio/op/sum.hpp>

#include <concepts>
#include <ranges>
#include <span>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// Gives every peer of `net` the `data` of peer `root`: the root scatters it and all pass their
/// part on, so that nobody sends more than about twice the data however many peers there are. (R.
/// van de Geijn's method; an all_reduce to which the root alone contributes.) Under a lossy codec
/// the root, too, ends with what the others decode.
///
/// `data` is as long on every peer and outlives the task. On an error it holds again what it held,
/// and the `call_error` names the culprit; that takes as much memory again, unless
/// `options.on_error` is `on_error::undefined`. `options.roles` are the call's own.
template <class Net, class Data, detail::no_options Codec = identity>
task<report> broadcast(Net&& net, Data&& data, int root, Codec codec = {},
                       call_options options = {});

// Options come last, and the codec before them may be left out.

template <class Net, class Data>
task<report> broadcast(Net&& net, Data&& data, int root, call_options options)
{
    return broadcast(std::forward<Net>(net), std::forward<Data>(data), root, identity{}, options);
}

template <class Net, class Data, detail::no_options Codec>
task<report> broadcast(Net&& net, Data&& data, int root, Codec codec, call_options options)
{
    constexpr auto wrong =
        detail::misuse_of_call<detail::misuse_in_place<Net, Data>(), Data, sum, Codec>();
    if constexpr (!detail::allowed<wrong>()) {
        return detail::refused();
    } else {
        using T = std::ranges::range_value_t<Data>;
        const std::span<T> all(std::ranges::data(data), std::ranges::size(data));
        const std::span<const T> mine = net.rank() == root ? all : std::span<T>{};
        return detail::run_broadcast(
            any_transport(net), detail::make_call_data<T>(mine, all, sum{}, codec), root, options);
    }
}

// Refused with a sentence: options that do not come last. These bind `net` more loosely, so that
// `{}` for what may be left out is no misuse.

template <class Net, class Data, class First, class... Rest>
task<report> broadcast(const Net&, Data&&, int, call_options, First, Rest...)
{
    return detail::refuse<detail::misuse::early_options, Net>();
}

}  // namespace papilio
