// error: call all_reduce_in_place

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::vector<float>& gradient)
{
    return pa::all_reduce(net, gradient, pa::mean{}, {.call = 1});
}
