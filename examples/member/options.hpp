#pragma once

#include "averaging.hpp"
#include "endpoint.hpp"

#include <trainer/gpt2.hpp>

#include <papilio/diloco/outer_optimizer.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace papilio::example {

/// What all members of a run must agree on, and where they find the text.
struct run_options {
    std::string name = "papilio";
    std::string model = "demo";
    std::vector<std::string> data;
    std::uint64_t seed = 1;
    round_codec codec = round_codec::int8b;
    outer_options outer;
    double held_out = 0.05;
    std::size_t length = 0;  ///< tokens in a sequence; 0 = the preset's
    std::string congestion;
    std::string device = "auto";
    int threads = 0;  ///< 0 = as the environment says
};

/// Adds them to a program's options.
void add_run_options(CLI::App& app, run_options& o);

/// Adds --config, and the habits that both programs share.
void add_habits(CLI::App& app);

/// A number for all that members must agree on: weights averaged with those of a member that
/// differs in it would be worth nothing.
std::uint64_t configuration(const run_options& o);

/// What `--device` says.
device_kind device_named(std::string_view name);

}  // namespace papilio::example
