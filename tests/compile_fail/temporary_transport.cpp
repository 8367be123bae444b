// error: this transport is a temporary

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::vector<float>& data)
{
    return pa::all_reduce_in_place(pa::any_transport(net), data, {.call = 1});
}
