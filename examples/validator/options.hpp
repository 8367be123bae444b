#pragma once

#include "thresholds.hpp"

#include <member/options.hpp>
#include <trainer/trainer.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace papilio::example {

/// What papilio-validator is told.
struct validator_options {
    run_options run;

    std::string listen = "0.0.0.0:5400";  ///< where miners join
    std::string mesh = "0.0.0.0:5401";    ///< where rounds are observed
    std::filesystem::path address_file;   ///< gets the address that miners are to join

    int min_group = 2;
    int max_group = 4095;
    double patience = 30;        ///< seconds with slow miners, once the first is ready
    double round_timeout = 120;  ///< seconds
    std::uint32_t rounds = 0;    ///< of the run, until it ends; 0: for ever
    double minutes = 0;

    thresholds demands;
    double probe_mib = 8;        ///< each way and measurement
    std::size_t evaluate = 128;  ///< held-out sequences after each round; 0: all

    std::filesystem::path checkpoint;
    bool resume = false;
    std::filesystem::path scores;
    std::filesystem::path summary;
    bool check = false;
};

/// Reads the command line and the configuration file. Throws `CLI::Error` for what makes no sense,
/// and `CLI::Success` when only help was asked for, which it has printed.
validator_options parse_validator_options(int argc, const char* const* argv);

/// What its trainer, which trains nothing, is told of them.
trainer_options trainer_part(const validator_options& o);

}  // namespace papilio::example
