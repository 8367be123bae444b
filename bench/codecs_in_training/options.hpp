#pragma once

#include <papilio/diloco/outer_optimizer.hpp>

#include <trainer/gpt2_trainer.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace papilio::example {

/// The values of the command line.
struct options {
    gpt2_options training;
    outer_options outer;
    std::uint64_t rounds = 100;
    std::uint64_t inner_steps = 10;
    std::uint64_t seeds = 3;
    std::size_t workers = 4;
    std::size_t evaluate = 1024;
    float beta = 1;
    std::vector<std::string> codecs;

    options()
    {
        training.model = preset("demo");
        training.batch = 2;
        training.length = 64;
        training.rate = {.peak = 1e-3, .warm_up = 20, .total = 0, .floor = 0.1};
        training.device = device_kind::cpu;
    }
};

/// Reads the command line.
options read_options(int argc, char** argv);

}  // namespace papilio::example
