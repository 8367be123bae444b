// error: options come last

#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<float>& out, pa::call_options options)
{
    return pa::reduce_scatter(net, in, out, options, pa::mean{}, pa::identity{});
}
