// A call that goes on without a peer that is lost while it runs: of five simulated peers the third
// one dies in mid-call.

#include <papilio/papilio.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

pa::task<> average(pa::sim::transport& net)
{
    std::vector<float> update(100'000, static_cast<float>(net.rank() * net.rank()));
    try {
        const auto done = co_await pa::all_reduce_in_place(net, update, pa::mean{}, pa::identity{},
                                                           {.salvage = true});
        std::printf("peer %d: without %zu of the others\n", net.rank(), done.left.size());
        for (const auto& made : done.made_of)
            std::printf("  from element %zu on %g: the mean of %zu\n", made.range.begin,
                        update[made.range.begin], made.from.size());
    } catch (const pa::call_error& failure) {
        std::printf("peer %d has failed: %s\n", net.rank(), failure.what());
    }
}

pa::task<> die(pa::sim::world& world, int rank)
{
    co_await pa::sleep_for(30ms);
    world.kill(rank);
}

int main()
{
    pa::sim::world world{{.peers = 5}};
    world.run([&](auto& net) -> pa::task<> {
        pa::task<> work = average(net);
        if (net.rank() == 2) {
            co_await pa::when_all(std::move(work), die(world, 2));
        } else {
            co_await std::move(work);
        }
    });
}
