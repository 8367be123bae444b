// error: call all_reduce_in_place

#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/transport/any_transport.hpp>

papilio::task<papilio::report> average(papilio::any_transport& net, std::vector<float>& gradient)
{
    return papilio::all_reduce(net, gradient, papilio::mean{}, papilio::int8b{});
}
