#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/kernels/table.hpp>
#include <papilio/codec/slice.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <system_error>

// The base of int8b and int4b.
namespace papilio::inline PAPILIO_MODE::detail {

/// The base of a codec whose blocks are integer codes times a scale, by the kernels that `Kernels`
/// names. Encoded, n elements are their codes, then one scale per block; with four bits, the first
/// half of a block's codes lies in the lower and the second in the upper halves of its bytes.
template <class Format, block_kernels kernel_table::*Kernels>
struct integer_blocks : slice_codec<integer_blocks<Format, Kernels>> {
    static constexpr std::size_t granule = Format::block;

    template <element V>
    static constexpr std::size_t bound(std::size_t n) noexcept
    {
        check_lossy_element<V>();
        return code_bytes(n) + (n / granule + (n % granule != 0 ? 1 : 0)) * scale_bytes;
    }

private:
    using base = slice_codec<integer_blocks>;
    friend base;
    using base::refuse;

    static constexpr const char* label() noexcept { return Format::name; }

    static constexpr std::size_t scale_bytes = sizeof(std::uint16_t);
    static constexpr std::size_t tile = 1024;
    static_assert(tile % granule == 0);

    static constexpr std::size_t code_bytes(std::size_t n) noexcept
    {
        return Format::bits == 8 ? n : n / 2 + n % 2;
    }

    /// Where in a block of its own the second part of a short block begins, and where in the short
    /// one: filled up like that, packed codes are those of the short block with zeros behind.
    static constexpr std::size_t second = Format::bits == 8 ? granule : granule / 2;
    static constexpr std::size_t first_part(std::size_t size) noexcept { return code_bytes(size); }

    template <element V>
    static void write(std::span<const V> values, std::size_t begin, std::size_t n,
                      mutable_bytes output)
    {
        std::byte* codes = output.data() + code_bytes(begin);
        std::byte* scales = output.data() + code_bytes(n) + begin / granule * scale_bytes;
        if constexpr (std::same_as<V, float>) {
            write_blocks(values.data(), values.size(), codes, scales);
        } else {
            for (std::size_t at = 0; at < values.size(); at += tile) {
                float narrow[tile];
                const auto size = std::min(tile, values.size() - at);
                for (std::size_t i = 0; i < size; ++i)
                    narrow[i] = static_cast<float>(values[at + i]);
                write_blocks(narrow, size, codes + code_bytes(at),
                             scales + at / granule * scale_bytes);
            }
        }
    }

    static void write_blocks(const float* values, std::size_t size, std::byte* codes,
                             std::byte* scales)
    {
        const auto blocks = size / granule;
        const auto rest = size % granule;
        const auto& table = kernels().*Kernels;
        bool taken = table.encode(values, blocks, codes, scales);
        if (rest > 0) {
            const auto part = first_part(rest);
            const float* from = values + blocks * granule;
            float block[granule] = {};
            std::copy_n(from, part, block);
            std::copy(from + part, from + rest, block + second % granule);
            std::byte packed[code_bytes(granule)];
            taken = table.encode(block, 1, packed, scales + blocks * scale_bytes) && taken;
            std::memcpy(codes + code_bytes(blocks * granule), packed, part);
        }
        if (!taken)
            throw std::system_error(errc::not_finite,
                                    std::string(Format::name) + " takes only finite numbers");
    }

    template <bool adds, element V>
    static void read(bytes encoded, std::size_t begin, std::size_t n, std::span<V> out)
    {
        const std::byte* codes = encoded.data() + code_bytes(begin);
        const std::byte* scales = encoded.data() + code_bytes(n) + begin / granule * scale_bytes;
        const auto& table = kernels().*Kernels;
        const auto whole = out.size() / granule * granule;
        bool plausible = true;
        if constexpr (std::same_as<V, float>) {
            const auto kernel = adds ? table.accumulate : table.decode;
            plausible = kernel(codes, scales, whole / granule, out.data());
        } else {
            for (std::size_t at = 0; at < whole && plausible; at += tile) {
                float decoded[tile];
                const auto size = std::min(tile, whole - at);
                plausible =
                    table.decode(codes + code_bytes(at), scales + at / granule * scale_bytes,
                                 size / granule, decoded);
                if (plausible) put_decoded<adds>(decoded, out.subspan(at, size));
            }
        }
        if (!plausible) refuse("impossible block");
        read_short<adds>(codes + code_bytes(whole), scales + whole / granule * scale_bytes,
                         out.subspan(whole));
    }

    template <bool adds, element V>
    static void read_short(const std::byte* codes, const std::byte* scale, std::span<V> out)
    {
        if (out.empty()) return;
        const auto part = first_part(out.size());
        std::byte packed[code_bytes(granule)] = {};
        std::memcpy(packed, codes, part);
        const bool half_used = Format::bits == 4 && out.size() % 2 != 0;
        if (half_used && std::to_integer<unsigned>(packed[part - 1]) >> 4 != 0)
            refuse("bits set beyond the last element");
        float block[granule];
        if (!(kernels().*Kernels).decode(packed, scale, 1, block)) refuse("impossible block");
        put_decoded<adds>(block, out.first(part));
        put_decoded<adds>(block + second % granule, out.subspan(part));
    }
};

}  // namespace papilio::detail
