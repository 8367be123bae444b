#pragma once

#include <member/options.hpp>

#include <papilio/session/run_client.hpp>
#include <papilio/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace papilio::example {

/// The options of a miner, beside those of its model.
struct miner_options {
    run_options run;

    std::string rendezvous;  ///< host:port of the validator
    bool alone = false;
    std::string listen = "[::]:0";  ///< host:port for other miners; "none": accept no connections
    std::string announce;           ///< host:port that others dial; empty: that of `listen`
    std::string name;
    double patience = 90;  ///< seconds to wait for a rendezvous that is away, or full

    std::uint64_t inner_steps = 0;  ///< of training between rounds
    std::optional<std::uint64_t> peer_seed;
    std::size_t evaluate = 0;  ///< held-out sequences to evaluate after each round

    std::filesystem::path checkpoint;
    bool resume = false;
    std::uint32_t checkpoint_every = 1;  ///< rounds
    std::uint32_t rounds = 0;            ///< of the run, after which this miner ends; 0: no limit
    double minutes = 0;
    std::filesystem::path metrics;
    std::uint64_t metrics_every = 1;  ///< steps
};

/// Reads the command line and the configuration file, with the options of `of` among them. Throws
/// `CLI::Error` for invalid options, and `CLI::Success` after printing the help.
miner_options parse_miner_options(int argc, const char* const* argv, papilio::model& of);

/// The run client's part of the options, for a model with so many parameters.
run_client_options client_part(const miner_options& o, std::uint64_t parameters);

}  // namespace papilio::example
