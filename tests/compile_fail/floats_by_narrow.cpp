// error: not a codec for these elements

#include <papilio/codec/narrow.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstdint>
#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::vector<float>& data)
{
    return pa::all_reduce_in_place(net, data, pa::sum{}, pa::narrow<std::int8_t>{});
}
