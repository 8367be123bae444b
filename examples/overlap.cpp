// Averages one gradient while the next is computed: start `overlap 0` and `overlap 1` side by side.

#include <papilio/async/spawn.hpp>
#include <papilio/papilio.hpp>
#include <papilio/transport/tcp.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <thread>
#include <utility>
#include <vector>

namespace pa = papilio;
using clock_type = std::chrono::steady_clock;

/// Stands for a training step.
void compute(std::vector<float>& gradient, int step, int rank)
{
    for (auto& x : gradient) x = static_cast<float>(step + rank) + std::sin(x) * 0.0f;
}

void train(pa::asio_loop& loop, pa::tcp::transport& net)
{
    constexpr int steps = 10;
    std::vector<float> computed(4'000'000), averaged(computed.size());
    std::future<pa::report> call;
    pa::duration calls{}, waited{};

    for (int step = 0; step <= steps; ++step) {
        if (step < steps) compute(computed, step, net.rank());  // the call before is under way
        if (step > 0) {
            const auto begin = clock_type::now();
            calls += call.get().finished;  // throws what the call threw
            waited += clock_type::now() - begin;
            std::printf("step %d: the mean is %.2f\n", step - 1, averaged[0]);
        }
        if (step == steps) break;
        std::swap(computed, averaged);  // from here on the loop's, until the future is ready
        call = pa::spawn(loop, pa::all_reduce_in_place(net, averaged, pa::mean{}));
    }
    const auto ms = [](pa::duration d) { return static_cast<long long>(d.count() / 1'000'000); };
    std::printf("peer %d: the calls took %lld ms, and %lld ms were spent waiting for them\n",
                net.rank(), ms(calls), ms(waited));
}

int main(int argc, char** argv)
try {
    const int rank = argc == 2 ? std::atoi(argv[1]) : -1;
    if (rank < 0 || rank > 1) {
        std::fprintf(stderr, "usage: overlap RANK, once for each RANK of 0 and 1\n");
        return 2;
    }
    pa::asio_loop loop;
    pa::tcp::transport net(loop, rank, {{"127.0.0.1", 27110}, {"127.0.0.1", 27111}});
    const std::jthread progress([&loop](std::stop_token stop) { loop.run(stop); });

    pa::spawn(loop, net.connect()).get();
    train(loop, net);
    pa::spawn(loop, net.close()).get();
} catch (const std::exception& failure) {
    std::fprintf(stderr, "overlap: %s\n", failure.what());
    return 1;
}
