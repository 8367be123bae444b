// Thirty-two peers average a vector over a simulated internet: one of them has a slow line, and
// how parts are cut decides what that costs.

#include <papilio/papilio.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

constexpr int peers = 32;

double seconds_for(const std::vector<double>& shares)
{
    std::vector<pa::sim::access> lines(
        peers, {.up_bytes_per_second = 25e6, .down_bytes_per_second = 25e6});
    lines[5] = {.up_bytes_per_second = 8e6, .down_bytes_per_second = 8e6};

    pa::sim::world world{
        {.seed = 42, .peers = peers, .latency = 40ms, .jitter = 5ms, .each = lines}};
    world.run([&](auto& net) -> pa::task<> {
        std::vector<float> gradient(1'000'000, static_cast<float>(net.rank()));
        const pa::call_options options{.timeout = 60s, .shares = shares};
        co_await pa::all_reduce_in_place(net, gradient, pa::mean{}, pa::int8b{}, options);
    });
    return std::chrono::duration<double>(world.now().time_since_epoch()).count();
}

int main()
{
    const std::vector<double> equal(peers, 1.0);
    auto by_bandwidth = equal;
    by_bandwidth[5] = 0.0;

    std::printf("equal parts:              %.3f s of simulated time\n", seconds_for(equal));
    std::printf("none for the slow peer:   %.3f s\n", seconds_for(by_bandwidth));
}
