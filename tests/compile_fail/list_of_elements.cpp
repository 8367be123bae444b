// error: elements must lie side by side

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <list>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::list<float>& data)
{
    return pa::all_reduce_in_place(net, data);
}
