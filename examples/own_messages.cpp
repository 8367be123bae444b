// Messages of one's own beside calls: peer 0 decides the rate of each step, and tells the others.

#include <papilio/papilio.hpp>

#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

namespace pa = papilio;

constexpr pa::tag rate_tag = pa::user_tag(1);

pa::task<float> rate_for(int step, pa::transport auto& net)
{
    float rate = 0.5F / static_cast<float>(1 + step);  // only peer 0's counts
    const auto bytes = std::as_writable_bytes(std::span(&rate, 1));
    if (net.rank() == 0) {
        for (int peer = 1; peer < net.size(); ++peer) {
            co_await net.send(peer, rate_tag, bytes);
        }
    } else {
        const auto size = co_await net.recv(0, rate_tag, bytes);
        if (size != bytes.size()) throw std::runtime_error("peer 0 sent something else");
    }
    co_return rate;
}

pa::task<> train(pa::transport auto& net)
{
    std::vector<float> weights(1'000, 1.0F);
    std::vector<float> gradient(weights.size());
    for (int step = 0; step < 3; ++step) {
        for (std::size_t i = 0; i < weights.size(); ++i)
            gradient[i] = weights[i] * static_cast<float>(net.rank());
        co_await pa::all_reduce_in_place(net, gradient, pa::mean{});
        const float rate = co_await rate_for(step, net);
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] -= rate * gradient[i];
    }
    std::printf("peer %d: %.4f\n", net.rank(), weights[0]);
}

int main()
{
    pa::sim::world world{{.peers = 3}};
    world.run([](auto& net) { return train(net); });
}
