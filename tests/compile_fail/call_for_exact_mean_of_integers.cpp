// error: this operation does not take these elements

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/exact_mean.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<int>& in, std::vector<int>& out)
{
    return pa::all_reduce(net, in, out, pa::exact_mean{}, pa::identity{}, {.call = 1});
}
