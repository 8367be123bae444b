// error: an operation where a codec is expected

#include <papilio/collective/all_gather.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<float>& out)
{
    return pa::all_gather(net, in, out, pa::sum{});
}
