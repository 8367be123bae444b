#pragma once

namespace papilio::bench {

/// Runs the benchmarks that the arguments ask for; returns what main should.
int run_kernels(int argc, char** argv);

/// The same for what `--short` leaves: one thread, 64 KiB and 64 MiB, encoding and decoding with
/// adding, five passes of each.
int run_few_kernels(int argc, char** argv);

}  // namespace papilio::bench
