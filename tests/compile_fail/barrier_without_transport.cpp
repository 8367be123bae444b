// error: not a transport: pass the transport itself

#include <papilio/collective/barrier.hpp>
#include <papilio/transport/any_transport.hpp>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net)
{
    return pa::barrier(net.rank());
}
