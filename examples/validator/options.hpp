#pragma once

#include "thresholds.hpp"

#include <member/options.hpp>

#include <papilio/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace papilio::example {

/// The options of a validator, beside those of its model.
struct validator_options {
    run_options run;

    std::string listen = "[::]:5400";    ///< where miners join
    std::string mesh = "[::]:5401";      ///< where rounds are observed
    std::filesystem::path address_file;  ///< written with the address that miners join
    std::string advertise;               ///< host[:port] by which other hosts reach `mesh`

    int min_group = 2;
    int max_group = 4095;
    double patience = 30;        ///< seconds to wait for slow miners, after the first is ready
    double round_timeout = 120;  ///< seconds
    double hold = 60;            ///< seconds that a group waits for a miner that fetches the model
    std::uint32_t rounds = 0;    ///< of the run, after which it ends; 0: no limit
    double minutes = 0;

    thresholds required;
    double probe_mib = 8;         ///< sent each way in a measurement
    std::size_t evaluate = 128;   ///< held-out sequences; 0: all
    double evaluate_share = 0.1;  ///< of the processor time, for evaluations at most

    std::filesystem::path checkpoint;
    bool resume = false;
    bool fall_back = false;  ///< to the checkpoint, though a later round was settled
    std::filesystem::path scores;
    std::filesystem::path summary;
    bool check = false;
};

/// Reads the command line and the configuration file, with the options of `of` among them. Throws
/// `CLI::Error` for invalid options, and `CLI::Success` after printing the help.
validator_options parse_validator_options(int argc, const char* const* argv, papilio::model& of);

}  // namespace papilio::example
