#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/blockwise.hpp>
#include <papilio/codec/kernels/further.hpp>
#include <papilio/codec/kernels/packed.hpp>
#include <papilio/codec/slice.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// The base of a codec that cuts a run into blocks, each with small codes and a scale of 16 bits,
/// by the kernels that `Kernels` names. Its `Format` is their reference, and takes what is left
/// beyond the last whole block. It says
/// - `block`, a multiple of 8: how many elements share a scale;
/// - `bits` per code: 1, 4 or 8;
/// - `name`, for messages;
/// - `encode(values, size, codes, scale)`: fills the codes of a block, whose values beyond `size`
///   are zero, and its scale; false if a value is not finite;
/// - `decode(codes, size, scale, values)`: fills a whole block; false if `encode` could not have
///   written the first `size` codes and the scale. Codes beyond `size` are zero.
///
/// Encoded, n elements are the packed codes of all blocks, then one scale per block.
template <class Format, block_kernels further_kernels::*Kernels>
struct block_codec : slice_codec<block_codec<Format, Kernels>> {
    static constexpr std::size_t granule = Format::block;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return code_bytes(n) + (n / granule + (n % granule != 0 ? 1 : 0)) * scale_bytes;
    }

private:
    using base = slice_codec<block_codec>;
    friend base;
    using base::refuse;

    static constexpr const char* label() noexcept { return Format::name; }

    static constexpr std::size_t scale_bytes = sizeof(std::uint16_t);
    static_assert(granule % 8 == 0);

    static constexpr std::size_t code_bytes(std::size_t n) noexcept
    {
        return packed_size(n, Format::bits);
    }
    static constexpr std::size_t scales_at(std::size_t element) noexcept
    {
        return element / granule * scale_bytes;
    }

    template <element V>
    static void write(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output)
    {
        std::byte* codes = output.data() + code_bytes(begin);
        std::byte* scales = output.data() + code_bytes(n) + scales_at(begin);
        const auto kernel = (chosen_further_kernels().*Kernels).encode;
        const bool finite = write_blockwise<granule>(
            values,
            [&](const float* from, std::size_t at, std::size_t count) {
                return kernel(from, count, codes + code_bytes(at), scales + scales_at(at));
            },
            [&](const float* from, std::size_t at, std::size_t size) {
                return write_block<Format>(from, size, codes + code_bytes(at),
                                           scales + scales_at(at));
            });
        if (!finite)
            throw std::system_error(errc::not_finite,
                                    std::string(Format::name) + " takes only finite numbers");
    }

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out)
    {
        const std::byte* codes = encoded.data() + code_bytes(begin);
        const std::byte* scales = encoded.data() + code_bytes(n) + scales_at(begin);
        const auto& kernels = chosen_further_kernels().*Kernels;
        const bool plausible = read_blockwise<granule, adds>(
            out,
            [&](std::size_t at, std::size_t count, float* to, auto add) {
                const auto kernel = add ? kernels.accumulate : kernels.decode;
                return kernel(codes + code_bytes(at), scales + scales_at(at), count, to);
            },
            [&](std::size_t at, std::size_t size, float* to) {
                return read_short(codes + code_bytes(at), scales + scales_at(at), size, to);
            });
        if (!plausible) refuse("impossible block");
    }

    static bool read_short(const std::byte* packed, const std::byte* scale, std::size_t size,
                           float* to)
    {
        std::uint8_t codes[granule] = {};
        unpack<Format::bits>(packed, size, codes);
        if (!padded(packed, size, codes)) refuse("bits set beyond the last element");
        return Format::decode(codes, size, load<std::uint16_t>(scale), to);
    }

    static bool padded(const std::byte* from, std::size_t size, const std::uint8_t* codes) noexcept
    {
        if constexpr (Format::bits == 4) return size % 2 == 0 || codes[size] == 0;
        if constexpr (Format::bits == 1)
            return size % 8 == 0 || std::to_integer<unsigned>(from[size / 8]) >> size % 8 == 0;
        return true;
    }
};

}  // namespace papilio::detail
