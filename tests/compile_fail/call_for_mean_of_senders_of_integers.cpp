// error: this operation does not take these elements

#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean_of_senders.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<long>& in,
                          std::vector<long>& out)
{
    return pa::all_reduce(net, in, out, pa::mean_of_senders{});
}
