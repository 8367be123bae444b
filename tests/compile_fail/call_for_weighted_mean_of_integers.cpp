// error: this operation does not take these elements

#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/weighted_mean.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<int>& in, std::vector<int>& out)
{
    return pa::reduce_scatter(net, in, out, pa::weighted_mean{}, {.weight = 2});
}
