#pragma once

#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/run.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/base.hpp>
#include <papilio/transport/subset.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

namespace detail {

/// The group that a shrunk one is: of the same transport, where that is a group itself.
template <class Net>
struct shrunk {
    using type = subset<Net>;
    static type make(Net& net, std::vector<int> left, std::uint32_t epoch)
    {
        return {net, std::move(left), epoch};
    }
};

template <class Net>
struct shrunk<subset<Net>> {
    using type = subset<Net>;
    static type make(subset<Net>& group, std::vector<int> left, std::uint32_t epoch)
    {
        for (int& peer : left) peer = group.member(peer);
        return {group.whole(), std::move(left), epoch};
    }
};

template <class Net>
task<typename shrunk<Net>::type> shrunk_to(Net& net, std::uint32_t epoch,
                                           task<std::vector<int>> agreed)
{
    auto left = co_await std::move(agreed);
    co_return shrunk<Net>::make(net, std::move(left), epoch);
}

}  // namespace detail

/// The peers of `net` that are left, as a group to make calls in: all agree on who that is, as in
/// MPI's MPIX_Comm_shrink. Whoever returns from it holds the same group, is in it, and begins with
/// the same call number there; everybody else has a `call_error`, `errc::left_out` where the others
/// have gone on without it. More than half of `net` have to be left, or `options.min_peers`. A peer
/// that is lost at the end of the call may still be in the group.
///
/// `epoch` is as for a `subset`: one that no group of the transport has had. A shrunk subset is a
/// group of the transport, and needs the subset no longer. Of `options`, `timeout`, `call`,
/// `priority` and `min_peers` count. Takes two latencies if nobody is lost.
template <transport Net>
task<typename detail::shrunk<Net>::type> shrink(Net& net, std::uint32_t epoch,
                                                call_options options = {})
{
    return detail::shrunk_to(net, epoch, detail::run_shrink(any_transport(net), options));
}

}  // namespace papilio
