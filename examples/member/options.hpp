#pragma once

#include "averaging.hpp"

#include <papilio/diloco/outer_optimizer.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/trainer.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace papilio::example {

/// Options of both programs: those that all members of a run must agree on, and those of the
/// machine.
struct run_options {
    std::string name = "papilio";
    named_values model;  ///< what members must agree on beside what is here
    round_codec codec = round_codec::int8b;
    outer_options outer;
    std::string congestion;
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

}  // namespace papilio::example
