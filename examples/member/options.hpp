#pragma once

#include "averaging.hpp"

#include <trainer/gpt2.hpp>

#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace papilio::example {

/// Options of both programs: those that all members of a run must agree on, and those of the
/// machine.
struct run_options {
    std::string name = "papilio";
    std::string model = "demo";
    std::vector<std::string> data;
    std::uint64_t seed = 1;
    std::string init;  ///< folder with the first weights; empty: they are drawn by `seed`
    round_codec codec = round_codec::int8b;
    outer_options outer;
    double held_out = 0.05;
    std::size_t length = 0;  ///< tokens in a sequence; 0: the model's limit
    std::string congestion;
    std::string device = "auto";
    int threads = 0;          ///< 0: as OMP_NUM_THREADS says
    std::string log = "off";  ///< the least level of the library's events that are printed
};

/// Adds them to a program's options.
void add_run_options(CLI::App& app, run_options& o);

/// Adds --config, and sets the format of help and options.
void add_common(CLI::App& app);

/// A digest of all options that members must agree on. Members that differ in one must not average
/// together.
std::uint64_t configuration(const run_options& o);

/// Those options and their values, for people.
std::vector<wire::setting> settings(const run_options& o);

/// The device for a value of --device.
device_kind device_named(std::string_view name);

}  // namespace papilio::example
