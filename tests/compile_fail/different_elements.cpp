// error: in and out hold elements of different types

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<double>& out)
{
    return pa::all_reduce(net, in, out);
}
