// A trainer of one's own in an elastic run: processes may come, die and come back at any time.
// Start `own_trainer host`, and as many `own_trainer NUMBER` as you like.

#include <papilio/session.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

/// y = a x^3 + b x^2 + c x + d, learnt from samples of a sine.
struct model {
    std::vector<float> weights = std::vector<float>(4);

    float operator()(float x) const
    {
        return ((weights[0] * x + weights[1]) * x + weights[2]) * x + weights[3];
    }

    void step(std::mt19937& draw)
    {
        const float x = std::uniform_real_distribution<float>(-2, 2)(draw);
        const float error = (*this)(x)-std::sin(x);
        const float slopes[] = {x * x * x, x * x, x, 1};
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] -= 0.01f * error * slopes[i];
    }

    float loss() const
    {
        float sum = 0;
        for (float x = -2; x < 2; x += 0.125f) sum += std::pow((*this)(x)-std::sin(x), 2.f);
        return sum / 32;
    }
};

void train(unsigned number)
{
    std::mt19937 draw(number);  // each process sees data of its own
    model mine;
    pa::session run("127.0.0.1:27130", mine.weights, {.rounds = 30});
    while (!run.over()) {
        mine.weights = run.parameters();  // of the run, whatever has happened meanwhile
        for (int i = 0; i < 200; ++i) mine.step(draw);
        const auto how = run.average(mine.weights, pa::mean{});
        while (const auto event = run.next_event())
            std::printf("%u: %s\n", number, event->text.c_str());
        if (how.averaged)
            std::printf("%u: round %u by %zu\n", number, how.round, how.members.size());
    }
    mine.weights = run.parameters();
    std::printf("%u: after round %u the loss is %.3f\n", number, run.round(), mine.loss());
}

int main(int argc, char** argv)
try {
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (what == "host") {
        const pa::session_host host({.listen = "127.0.0.1:27130", .min_members = 2, .rounds = 30});
        return host.wait_for_end(60s) ? 0 : 1;
    }
    const int number = std::atoi(argc == 2 ? argv[1] : "");
    if (number > 0) return train(static_cast<unsigned>(number)), 0;
    std::fprintf(stderr, "usage: own_trainer host, and own_trainer NUMBER, NUMBER from 1\n");
    return 2;
} catch (const std::exception& failure) {
    std::fprintf(stderr, "own_trainer: %s\n", failure.what());
    return 1;
}
