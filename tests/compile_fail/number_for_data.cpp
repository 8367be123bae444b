// error: not a range of elements

#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/transport/any_transport.hpp>

namespace pa = papilio;

pa::task<pa::report> call(pa::any_transport& net, float& mine, float& sum)
{
    return pa::reduce_scatter(net, mine, sum);
}
