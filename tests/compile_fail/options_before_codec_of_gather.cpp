// error: options come last

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_gather.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<float>& out)
{
    return pa::all_gather(net, in, out, {.call = 1}, pa::int8b{});
}
