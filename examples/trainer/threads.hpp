#pragma once

namespace papilio::example {

/// Limits this process to `count` threads per operation, in LibTorch and in OpenBLAS. Peers that
/// share a host need 1 each: more threads than cores cost several times the speed. The environment
/// (OMP_NUM_THREADS, OPENBLAS_NUM_THREADS) is what holds before this is called.
void limit_threads(int count);

}  // namespace papilio::example
