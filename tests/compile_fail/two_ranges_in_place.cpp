// error: all_reduce_in_place takes one range

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<float>& out)
{
    return pa::all_reduce_in_place(net, in, out);
}
