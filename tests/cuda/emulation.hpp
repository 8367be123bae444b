#pragma once

#include <papilio/cuda/team.cuh>
#include <papilio/cuda/warp.cuh>

#include <cstring>
#include <memory>

// Kernels on the host: the bodies that GPUs run, one lane after the other.
namespace papilio::cuda_testing {

/// What a launch would do, units and lanes in either order. What shared memory held before is
/// anything.
template <class Work>
void emulate(const Work& work, std::size_t n, bool backwards)
{
    const auto count = n / Work::unit + (n % Work::unit != 0 ? 1 : 0);
    const auto index = [&](std::size_t i) { return backwards ? count - 1 - i : i; };
    if constexpr (requires { typename Work::room_type; }) {
        const auto output = std::make_unique<typename Work::room_type>();
        std::memset(static_cast<void*>(output.get()), 0x5a, sizeof *output);
        const cuda::detail::emulated_team team{backwards};
        for (std::size_t i = 0; i < count; ++i) work(team, *output, index(i));
    } else {
        const cuda::detail::emulated_warp warp{backwards};
        for (std::size_t i = 0; i < count; ++i) work(warp, index(i));
    }
}

}  // namespace papilio::cuda_testing
