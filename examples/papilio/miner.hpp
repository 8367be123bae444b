#pragma once

#include <papilio/trainer.hpp>

namespace papilio {

/// The whole of a miner's program around a model: reads the command line, joins a run, trains,
/// averages, keeps checkpoints, and obeys signals, as docs/reference/miner.md says of
/// papilio-miner. `argv[0]` is the name by which it speaks of itself. Returns what `main` is to
/// return; throws nothing. The sentence about a failure is on stderr.
int run_miner(int argc, const char* const* argv, model& of);

}  // namespace papilio
