#pragma once

#include <member/options.hpp>
#include <trainer/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace papilio::example {

/// What papilio-miner is told. Numbers that are 0 or absent are filled in from the preset.
struct miner_options {
    run_options run;

    std::string rendezvous;  ///< host:port of the validator; empty: this miner trains alone
    bool alone = false;
    std::string listen = "0.0.0.0:0";  ///< "none": other miners cannot dial this one
    std::string announce;              ///< host:port that others dial, where it differs
    std::string name;
    double patience = 90;  ///< seconds with a rendezvous that does not answer, or take us yet

    std::uint64_t inner_steps = 0;  ///< 0: the preset's
    std::size_t batch = 0;
    std::size_t accumulation = 0;
    schedule rate{.peak = 0, .warm_up = 0, .total = 0, .floor = 0.1};
    adamw_options optimizer;
    std::optional<std::uint64_t> peer_seed;
    std::size_t evaluate = 0;  ///< held-out sequences to look at after each round

    std::filesystem::path checkpoint;
    bool resume = false;
    std::uint32_t checkpoint_every = 1;  ///< rounds
    std::uint32_t rounds = 0;            ///< of the run, until it ends; 0: for ever
    double minutes = 0;
    std::filesystem::path metrics;
    std::uint64_t metrics_every = 1;  ///< steps
};

/// Reads the command line and the configuration file. Throws `CLI::Error` for what makes no sense,
/// and `CLI::Success` when only help was asked for, which it has printed.
miner_options parse_miner_options(int argc, const char* const* argv);

/// What the trainer is told of them. `peer` seeds the draws.
trainer_options trainer_part(const miner_options& o, std::uint64_t peer);

}  // namespace papilio::example
