// Trains on while the last step's gradient is averaged, into a second buffer: start `overlap 0` and
// `overlap 1` side by side.

#include <papilio/session.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>
#include <vector>

namespace pa = papilio;
using clock_type = std::chrono::steady_clock;

/// Stands for a training step.
void compute(std::vector<float>& gradient, int step, int rank)
{
    for (auto& x : gradient) x = static_cast<float>(step + rank) + std::sin(x) * 0.0f;
}

void train(pa::communicator& group)
{
    constexpr int steps = 10;
    std::vector<float> computed(4'000'000), averaged(computed.size());
    std::future<pa::report> call;
    pa::duration calls{}, waited{};

    for (int step = 0; step <= steps; ++step) {
        // Under way is the average of the step before: `averaged` is neither read nor written.
        if (step < steps) compute(computed, step, group.rank());
        if (step > 0) {
            const auto begin = clock_type::now();
            calls += call.get().finished;  // throws what the call threw
            waited += clock_type::now() - begin;
            std::printf("step %d: the mean is %.2f\n", step - 1, averaged[0]);
        }
        if (step == steps) break;
        std::swap(computed, averaged);  // from here on the call's, until the future is ready
        call = group.start().all_reduce_in_place(averaged, pa::mean{});
    }
    const auto ms = [](pa::duration d) { return static_cast<long long>(d.count() / 1'000'000); };
    std::printf("peer %d: the calls took %lld ms, and %lld ms were spent waiting for them\n",
                group.rank(), ms(calls), ms(waited));
}

int main(int argc, char** argv)
try {
    const int rank = argc == 2 ? std::atoi(argv[1]) : -1;
    if (rank < 0 || rank > 1) {
        std::fprintf(stderr, "usage: overlap RANK, once for each RANK of 0 and 1\n");
        return 2;
    }
    pa::communicator group(rank, {{"127.0.0.1", 27110}, {"127.0.0.1", 27111}});
    train(group);
    group.close();
} catch (const std::exception& failure) {
    std::fprintf(stderr, "overlap: %s\n", failure.what());
    return 1;
}
