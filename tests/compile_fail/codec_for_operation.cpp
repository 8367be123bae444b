// error: a codec where an operation is expected

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<float>& in,
                          std::vector<float>& out)
{
    return pa::reduce_scatter(net, in, out, pa::int8b{}, {.call = 1});
}
