// error: this range is a temporary

#include <papilio/papilio.hpp>
#include <papilio/sim/world.hpp>

#include <vector>

namespace pa = papilio;

int main()
{
    pa::sim::world world({.peers = 2});
    world.run([](auto& net) -> pa::task<> {
        std::vector<float> out(10);
        co_await pa::all_reduce(net, std::vector<float>(10), out, pa::mean{}, {.call = 1});
    });
}
