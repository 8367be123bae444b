// error: the result cannot be written to const elements

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          const std::vector<float>& out)
{
    return pa::all_reduce(net, in, out);
}
