#pragma once

#include <papilio/base/config.hpp>
#include <papilio/cuda/base.cuh>

// A warp: 32 lanes that do the same at a time. Kernels are written for either of the two below.
// What a lane holds is a `lanes<T>`, of which lane `l` reads and writes `[l]` alone; `each(work)`
// has every lane do `work(l)`; the other functions tell lanes about each other.
namespace papilio::inline PAPILIO_MODE::cuda::detail {

inline constexpr int warp_size = 32;

/// All lanes one after the other on the host, and from the last to the first if `backwards`: work
/// that depends on the order is work that a GPU would do wrong.
struct emulated_warp {
    template <class T>
    struct lanes {
        T all[warp_size] = {};
        PAPILIO_DEVICE T& operator[](int lane) noexcept { return all[lane]; }
        PAPILIO_DEVICE const T& operator[](int lane) const noexcept { return all[lane]; }
    };

    template <class Work>
    PAPILIO_DEVICE void each(const Work& work) const
    {
        for (int i = 0; i < warp_size; ++i) work(backwards ? warp_size - 1 - i : i);
    }

    /// Bit `l` says whether lane l's flag is set.
    PAPILIO_DEVICE std::uint32_t ballot(const lanes<bool>& set) const noexcept
    {
        std::uint32_t bits = 0;
        for (int lane = 0; lane < warp_size; ++lane)
            bits |= static_cast<std::uint32_t>(set[lane]) << lane;
        return bits;
    }

    /// Everybody gets the largest of its group of `Width` neighbours, a power of two.
    template <int Width>
    PAPILIO_DEVICE lanes<std::uint32_t> largest(lanes<std::uint32_t> values) const noexcept
    {
        for (int step = 1; step < Width; step *= 2) {
            const auto before = values;
            for (int lane = 0; lane < warp_size; ++lane)
                if (before[lane ^ step] > values[lane]) values[lane] = before[lane ^ step];
        }
        return values;
    }

    /// Lane l gets the value of lane `from[l]`.
    PAPILIO_DEVICE lanes<std::uint32_t> shuffle(const lanes<std::uint32_t>& values,
                                                const lanes<int>& from) const noexcept
    {
        lanes<std::uint32_t> got;
        for (int lane = 0; lane < warp_size; ++lane) got[lane] = values[from[lane]];
        return got;
    }

    bool backwards = false;
};

}  // namespace papilio::cuda::detail

#ifdef __CUDACC__
namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// What one lane knows of a `lanes`: its own.
template <class T>
struct own_lane {
    T own = {};
    PAPILIO_DEVICE T& operator[](int) noexcept { return own; }
    PAPILIO_DEVICE const T& operator[](int) const noexcept { return own; }
};

PAPILIO_DEVICE inline int lane_index() noexcept
{
#ifdef __CUDA_ARCH__
    return static_cast<int>(threadIdx.x % warp_size);
#else
    return 0;
#endif
}

/// This warp. All its lanes come to each of these calls together.
struct device_warp {
    template <class T>
    using lanes = own_lane<T>;

    template <class Work>
    PAPILIO_DEVICE void each(const Work& work) const
    {
        work(lane_index());
    }

    PAPILIO_DEVICE std::uint32_t ballot(const lanes<bool>& set) const noexcept
    {
#ifdef __CUDA_ARCH__
        return __ballot_sync(everybody, set.own);
#else
        return set.own;
#endif
    }

    template <int Width>
    PAPILIO_DEVICE lanes<std::uint32_t> largest(lanes<std::uint32_t> values) const noexcept
    {
#ifdef __CUDA_ARCH__
        for (int step = Width / 2; step > 0; step /= 2)
            values.own = max(values.own, __shfl_xor_sync(everybody, values.own, step));
#endif
        return values;
    }

    PAPILIO_DEVICE lanes<std::uint32_t> shuffle(const lanes<std::uint32_t>& values,
                                                [[maybe_unused]] const lanes<int>& from) const
    {
#ifdef __CUDA_ARCH__
        return {__shfl_sync(everybody, values.own, from.own)};
#else
        return values;
#endif
    }

    static constexpr std::uint32_t everybody = 0xffffffff;
};

}  // namespace papilio::cuda::detail
#endif
