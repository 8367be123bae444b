#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/rounding.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// What kernels are made of. Their bodies compile without nvcc, too: tests run them on the host, one
// lane after the other, where no GPU is at hand.

#ifdef __CUDACC__
#ifndef __CUDACC_RELAXED_CONSTEXPR__
#error "papilio's kernels call its constexpr functions: pass --expt-relaxed-constexpr to nvcc"
#endif
#define PAPILIO_DEVICE __host__ __device__
#else
#define PAPILIO_DEVICE
#endif

namespace papilio::inline PAPILIO_MODE::cuda::detail {

// Each rounds once, to nearest, whatever stands beside it: nvcc would fuse a product and a sum.

PAPILIO_DEVICE inline float times(float a, float b) noexcept
{
#ifdef __CUDA_ARCH__
    return __fmul_rn(a, b);
#else
    float product = a * b;
    papilio::detail::round_now(&product);
    return product;
#endif
}

PAPILIO_DEVICE inline float plus(float a, float b) noexcept
{
#ifdef __CUDA_ARCH__
    return __fadd_rn(a, b);
#else
    return a + b;
#endif
}

PAPILIO_DEVICE inline float over(float a, float b) noexcept
{
#ifdef __CUDA_ARCH__
    return __fdiv_rn(a, b);
#else
    return a / b;
#endif
}

PAPILIO_DEVICE inline std::uint32_t ones_in(std::uint32_t bits) noexcept
{
#ifdef __CUDA_ARCH__
    return static_cast<std::uint32_t>(__popc(bits));
#else
    return static_cast<std::uint32_t>(__builtin_popcount(bits));
#endif
}

/// Sixteen bits at any address, which a GPU can only reach byte by byte.
PAPILIO_DEVICE inline std::uint16_t load16(const std::byte* at) noexcept
{
    const auto low = static_cast<std::uint32_t>(at[0]), high = static_cast<std::uint32_t>(at[1]);
    return static_cast<std::uint16_t>(low | high << 8);
}

PAPILIO_DEVICE inline void store16(std::byte* at, std::uint32_t value) noexcept
{
    at[0] = static_cast<std::byte>(value & 0xff);
    at[1] = static_cast<std::byte>(value >> 8 & 0xff);
}

/// Words that a lane reads or writes at once: one, two or four.
template <int Count>
struct words {
    std::uint32_t at[Count] = {};
};

/// `from` is aligned to all words together, and so is `to` below.
template <int Count>
PAPILIO_DEVICE inline words<Count> load_words(const void* from) noexcept
{
    words<Count> all;
#ifdef __CUDA_ARCH__
    if constexpr (Count == 1) {
        all.at[0] = *static_cast<const std::uint32_t*>(from);
    } else if constexpr (Count == 2) {
        const auto two = *static_cast<const uint2*>(from);
        all.at[0] = two.x, all.at[1] = two.y;
    } else {
        const auto four = *static_cast<const uint4*>(from);
        all.at[0] = four.x, all.at[1] = four.y, all.at[2] = four.z, all.at[3] = four.w;
    }
#else
    std::memcpy(all.at, from, sizeof all.at);
#endif
    return all;
}

/// By instructions of its own: nvcc takes apart what it sees in two branches.
template <int Count>
PAPILIO_DEVICE inline void store_words(void* to, const words<Count>& all) noexcept
{
#ifdef __CUDA_ARCH__
    if constexpr (Count == 1)
        *static_cast<std::uint32_t*>(to) = all.at[0];
    else if constexpr (Count == 2)
        __stwb(static_cast<uint2*>(to), uint2{all.at[0], all.at[1]});
    else
        __stwb(static_cast<uint4*>(to), uint4{all.at[0], all.at[1], all.at[2], all.at[3]});
#else
    std::memcpy(to, all.at, sizeof all.at);
#endif
}

}  // namespace papilio::cuda::detail

namespace papilio::inline PAPILIO_MODE::cuda {

/// Zero until a kernel finds that it cannot do what it was asked for; then one. It lies where the
/// device can write: in its memory, or in pinned memory of the host that is mapped into the device.
using flag = std::uint32_t;

}  // namespace papilio::cuda

namespace papilio::inline PAPILIO_MODE::cuda::detail {

/// All who raise a flag write the same, so that it needs no atomic operation.
PAPILIO_DEVICE inline void raise(flag* raised) noexcept
{
    *static_cast<volatile flag*>(raised) = 1;
}

}  // namespace papilio::cuda::detail
