#include "perf/papilio/call_with.hpp"

#include <papilio/collective/all_gather.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>

namespace papilio::perf {

namespace {

/// The number of elements in this peer's part of `count` floats.
std::size_t own_part(any_transport& net, std::size_t count)
{
    return stretch_of(count, net.rank(), net.size(), true).size;
}

template <class Op>
task<report> scatter(any_transport net, const void* in, void* out, std::size_t count,
                     call_options options)
{
    return reduce_scatter(net, std::span(static_cast<const float*>(in), count),
                          std::span(static_cast<float*>(out), own_part(net, count)), Op{},
                          identity{}, options);
}

task<report> gather(any_transport net, const void* in, void* out, std::size_t count,
                    call_options options)
{
    return all_gather(net, std::span(static_cast<const float*>(in), own_part(net, count)),
                      std::span(static_cast<float*>(out), count), identity{}, options);
}

task<report> give_to_all(any_transport net, const void*, void* out, std::size_t count,
                         call_options options)
{
    return broadcast(net, std::span(static_cast<float*>(out), count), 0, identity{}, options);
}

}  // namespace

call_function other_call(collective what, reduction op)
{
    if (what == collective::all_gather) return gather;
    if (what == collective::broadcast) return give_to_all;
    if (what != collective::reduce_scatter) return nullptr;
    if (op == reduction::sum) return scatter<papilio::sum>;
    return op == reduction::avg ? scatter<papilio::mean> : nullptr;
}

}  // namespace papilio::perf
