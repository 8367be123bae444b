// error: a lossy codec takes floating-point elements only

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstdint>
#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, const std::vector<std::int32_t>& in,
                          std::vector<std::int32_t>& out)
{
    return pa::all_reduce(net, in, out, pa::sum{}, pa::int8b{});
}
