#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/blockwise.hpp>
#include <papilio/codec/kernels/fp4.hpp>
#include <papilio/codec/kernels/further.hpp>
#include <papilio/codec/slice.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

namespace papilio::inline PAPILIO_MODE {

/// A 4-bit float per element, an 8-bit scale per 16 and a 16-bit one per 1024: 4.52 bits together.
/// The short blocks suit numbers with heavy tails; the squared error is 0.009 of the squares of
/// normal numbers and 0.008 of Student's t with three degrees. Runs of 1024 elements whose largest
/// magnitude is below 2^-100 become zeros.
///
/// `encode` throws `errc::not_finite` for a NaN, an infinity, or a double beyond float's range; a
/// double is first rounded to float. What `decode` accepts is finite. NVIDIA's NVFP4 is alike, with
/// one scale per tensor in place of one per 1024 elements.
struct fp4 : detail::slice_codec<fp4> {
    static constexpr codec_id id = codec_id::fp4;
    static constexpr std::size_t granule = detail::fp4_run::size;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        detail::check_lossy_element<V>();
        return detail::packed_size(n, 4) + inner_scales(n) +
               (n / granule + (n % granule != 0 ? 1 : 0)) * outer_bytes;
    }

private:
    friend detail::slice_codec<fp4>;

    static constexpr const char* label() noexcept { return "fp4"; }
    static constexpr std::size_t outer_bytes = sizeof(std::uint16_t);
    static constexpr std::size_t inner_scales(std::size_t n) noexcept
    {
        constexpr auto block = detail::fp4_run::block;
        return n / block + (n % block != 0 ? 1 : 0);
    }

    template <element V>
    static void write(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output);

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out);

    /// Where the codes and scales of an element lie among those of `n`.
    template <class Byte>
    struct places {
        Byte* codes;
        Byte* inner;
        Byte* outer;

        places(Byte* all, std::size_t element, std::size_t n)
            : codes(all + element / 2),
              inner(all + detail::packed_size(n, 4) + inner_scales(element)),
              outer(all + detail::packed_size(n, 4) + inner_scales(n) +
                    element / granule * outer_bytes)
        {
        }
    };
};

}  // namespace papilio

// Encoded, n elements are their codes, packed block by block, then the inner scales, then the
// outer ones.
namespace papilio::inline PAPILIO_MODE {

template <element V>
void fp4::write(std::span<const V> values, std::size_t begin, std::size_t n, mutable_bytes output)
{
    const auto kernel = detail::chosen_further_kernels().fp4.encode;
    const bool finite = detail::write_blockwise<granule>(
        values,
        [&](const float* from, std::size_t at, std::size_t count) {
            const places to(output.data(), begin + at, n);
            return kernel(from, count, to.codes, to.inner, to.outer);
        },
        [&](const float* from, std::size_t at, std::size_t size) {
            const places to(output.data(), begin + at, n);
            return detail::write_fp4_run(from, size, to.codes, to.inner, to.outer);
        });
    if (!finite) throw std::system_error(errc::not_finite, "fp4 takes only finite numbers");
}

template <bool adds, element V>
void fp4::read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out)
{
    const auto& kernels = detail::chosen_further_kernels().fp4;
    const bool plausible = detail::read_blockwise<granule, adds>(
        out,
        [&](std::size_t at, std::size_t count, float* to, auto add) {
            const auto kernel = add ? kernels.accumulate : kernels.decode;
            const places from(encoded.data(), begin + at, n);
            return kernel(from.codes, from.inner, from.outer, count, to);
        },
        [&](std::size_t at, std::size_t size, float* to) {
            const places from(encoded.data(), begin + at, n);
            return detail::read_fp4_run<false>(from.codes, from.inner, from.outer, size, to);
        });
    if (!plausible) refuse("impossible block");
}

}  // namespace papilio
