#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/warp.cuh>

// A team: the threads of a block, which share memory. Like a warp in `warp.cuh`, but `each` ends
// only when all have done their work and see what the others wrote.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

inline constexpr int team_size = 256;
inline constexpr int team_warps = team_size / warp_size;

/// What a team needs of shared memory to talk. Trivial, as all shared memory has to be.
struct team_buffer {
    std::uint32_t of_warp[team_warps];
};

/// All lanes one after the other on the host, from the last to the first if `backwards`.
struct emulated_team {
    template <class T>
    struct lanes {
        T all[team_size] = {};
        T& operator[](int lane) noexcept { return all[lane]; }
        const T& operator[](int lane) const noexcept { return all[lane]; }
    };

    template <class Work>
    void each(const Work& work) const
    {
        for (int i = 0; i < team_size; ++i) work(backwards ? team_size - 1 - i : i);
    }

    /// `work(warp, index)` by each of the team's warps.
    template <class Work>
    void each_warp(const Work& work) const
    {
        for (int i = 0; i < team_warps; ++i)
            work(emulated_warp{backwards}, backwards ? team_warps - 1 - i : i);
    }

    /// How many flags are set, for everybody.
    int count(const lanes<bool>& set) const noexcept
    {
        int total = 0;
        for (const bool one : set.all) total += one ? 1 : 0;
        return total;
    }

    std::uint32_t largest(const lanes<std::uint32_t>& values, team_buffer&) const noexcept
    {
        std::uint32_t most = 0;
        for (const auto value : values.all) most = value > most ? value : most;
        return most;
    }

    /// Lane l gets the sum of the values of all lanes before it.
    lanes<std::uint32_t> sums_before(const lanes<std::uint32_t>& values,
                                     team_buffer&) const noexcept
    {
        lanes<std::uint32_t> sums;
        for (int lane = 1; lane < team_size; ++lane) sums[lane] = sums[lane - 1] + values[lane - 1];
        return sums;
    }

    /// One bit for each lane into `to`, which has a word for each warp.
    void mark(const lanes<bool>& set, std::uint32_t* to) const noexcept
    {
        for (int i = 0; i < team_warps; ++i) to[i] = 0;
        for (int lane = 0; lane < team_size; ++lane)
            to[lane / warp_size] |= static_cast<std::uint32_t>(set[lane]) << lane % warp_size;
    }

    /// Waits until all see what `mark` wrote.
    void meet() const noexcept {}

    /// Adds to a number in shared memory, which many lanes do at a time, and returns what it was.
    static std::uint32_t add(std::uint32_t& shared, std::uint32_t value) noexcept
    {
        return (shared += value) - value;
    }

    bool backwards = false;
};

}  // namespace papilio::cuda::detail

#ifdef __CUDACC__
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// The threads of this block, of which there are `team_size`. All come to each call together.
struct device_team {
    template <class T>
    using lanes = own_lane<T>;

    template <class Work>
    __device__ void each(const Work& work) const
    {
        work(static_cast<int>(threadIdx.x));
        __syncthreads();
    }

    template <class Work>
    __device__ void each_warp(const Work& work) const
    {
        work(device_warp{}, static_cast<int>(threadIdx.x) / warp_size);
        __syncthreads();
    }

    __device__ int count(const lanes<bool>& set) const { return __syncthreads_count(set.own); }

    __device__ std::uint32_t largest(const lanes<std::uint32_t>& values, team_buffer& buffer) const
    {
        const auto of_warp = device_warp{}.largest<warp_size>(values).own;
        if (lane_index() == 0) buffer.of_warp[threadIdx.x / warp_size] = of_warp;
        __syncthreads();
        std::uint32_t most = 0;
        for (const auto value : buffer.of_warp) most = max(most, value);
        __syncthreads();
        return most;
    }

    __device__ lanes<std::uint32_t> sums_before(const lanes<std::uint32_t>& values,
                                                team_buffer& buffer) const
    {
        auto sum = values.own;
        for (int step = 1; step < warp_size; step *= 2) {
            const auto before = __shfl_up_sync(device_warp::everybody, sum, step);
            if (lane_index() >= step) sum += before;
        }
        const auto warp = threadIdx.x / warp_size;
        if (lane_index() == warp_size - 1) buffer.of_warp[warp] = sum;
        __syncthreads();
        auto before = sum - values.own;
        for (unsigned i = 0; i < warp; ++i) before += buffer.of_warp[i];
        __syncthreads();
        return {before};
    }

    __device__ void mark(const lanes<bool>& set, std::uint32_t* to) const
    {
        const auto bits = __ballot_sync(device_warp::everybody, set.own);
        if (lane_index() == 0) to[threadIdx.x / warp_size] = bits;
    }

    __device__ void meet() const { __syncthreads(); }

    __device__ static std::uint32_t add(std::uint32_t& shared, std::uint32_t value)
    {
        return atomicAdd(&shared, value);
    }
};

}  // namespace papilio::cuda::detail
#endif
