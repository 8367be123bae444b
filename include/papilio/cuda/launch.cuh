#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/cuda/team.cuh>

#include <cuda_runtime.h>

#include <algorithm>
#include <string>
#include <type_traits>

// How work gets onto a device: in stream order, without waiting, and without taking memory.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// Throws what the CUDA runtime says.
inline void check(cudaError_t result, const char* what)
{
    if (result == cudaSuccess) return;
    throw std::system_error(errc::refused,
                            std::string("CUDA: ") + what + ": " + cudaGetErrorString(result));
}

/// As many blocks as the device runs at a time, but no more than there is work for.
inline unsigned blocks_for(std::size_t wanted)
{
    int device = 0, multiprocessors = 0;
    check(cudaGetDevice(&device), "no device");
    check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
          "no device");
    const auto most = static_cast<std::size_t>(multiprocessors) * (2048 / team_size);
    return static_cast<unsigned>(std::min(wanted, most));
}

template <class Work>
__global__ void __launch_bounds__(team_size) run_warps(const Work work, std::size_t items)
{
    const auto warps = std::size_t{gridDim.x} * team_warps;
    for (auto i = std::size_t{blockIdx.x} * team_warps + threadIdx.x / warp_size; i < items;
         i += warps)
        work(device_warp{}, i);
}

template <class Work>
__global__ void __launch_bounds__(team_size) run_teams(const Work work, std::size_t items)
{
    static_assert(std::is_trivially_default_constructible_v<typename Work::room_type> &&
                      sizeof(typename Work::room_type) <= 48 << 10,
                  "that many elements of a chunk do not fit into shared memory");
    __shared__ typename Work::room_type output;
    for (std::size_t i = blockIdx.x; i < items; i += gridDim.x) {
        work(device_team{}, output, i);
        __syncthreads();
    }
}

/// A warp or a team for each of the work's units of the `n` elements, in turns.
template <class Work>
void launch(const Work& work, std::size_t n, cudaStream_t stream)
{
    const auto items = n / Work::unit + (n % Work::unit != 0 ? 1 : 0);
    if (items == 0) return;
    if constexpr (requires { typename Work::room_type; })
        run_teams<<<blocks_for(items), team_size, 0, stream>>>(work, items);
    else
        run_warps<<<blocks_for((items + team_warps - 1) / team_warps), team_size, 0, stream>>>(
            work, items);
    check(cudaGetLastError(), "the kernel does not start");
}

}  // namespace papilio::cuda::detail
