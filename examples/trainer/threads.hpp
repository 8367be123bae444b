#pragma once

namespace papilio::example {

/// Limits this process to `count` threads, in LibTorch and in OpenBLAS. Peers that share a host
/// need 1 each: with more threads than cores, each step takes several times as long.
///
/// OpenMP's threads, which LibTorch uses, spin while OpenBLAS's threads want the cores, and a step
/// can take 20 times as long. So more than one of them are used only where the environment says
/// `OMP_WAIT_POLICY=passive` (which OpenMP reads before main); else only matrices are multiplied in
/// parallel.
void limit_threads(int count);

}  // namespace papilio::example
