#pragma once

namespace papilio::bench {

/// Runs the benchmarks that the arguments ask for; returns what main should.
int run_kernels(int argc, char** argv);

}  // namespace papilio::bench
