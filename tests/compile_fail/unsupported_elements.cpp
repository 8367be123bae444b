// error: no elements for a collective

#include <papilio/collective/all_reduce.hpp>
#include <papilio/transport/any_transport.hpp>

#include <array>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, std::array<bool, 4>& votes)
{
    return pa::all_reduce_in_place(net, votes);
}
