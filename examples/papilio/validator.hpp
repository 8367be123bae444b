#pragma once

#include <papilio/trainer.hpp>

namespace papilio {

/// The whole of a validator's program around a model: reads the command line, hosts a run,
/// evaluates and saves what the miners agree on, and obeys signals, as docs/reference/validator.md
/// says of papilio-validator. The rest as `run_miner`.
int run_validator(int argc, const char* const* argv, model& of);

}  // namespace papilio
