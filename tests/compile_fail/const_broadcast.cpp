// error: the result cannot be written to const elements

#include <papilio/collective/broadcast.hpp>
#include <papilio/transport/any_transport.hpp>

#include <span>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::span<const float> data)
{
    return pa::broadcast(net, data, 0);
}
