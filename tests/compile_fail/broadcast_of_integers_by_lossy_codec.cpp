// error: a lossy codec takes floating-point elements only

#include <papilio/codec/as_f16.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/transport/any_transport.hpp>

#include <vector>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::vector<int>& data)
{
    return pa::broadcast(net, data, 0, pa::as_f16{});
}
