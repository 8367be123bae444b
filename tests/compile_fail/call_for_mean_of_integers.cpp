// error: this operation does not take these elements

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::vector<int>& data)
{
    return pa::all_reduce_in_place(net, data, pa::mean{});
}
