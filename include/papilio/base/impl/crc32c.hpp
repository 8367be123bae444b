#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/crc32c.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#define PAPILIO_CRC_TARGET __attribute__((target("sse4.2")))
#elif defined(__aarch64__) && defined(__linux__)
#define PAPILIO_CRC_TARGET __attribute__((target("arch=armv8-a+crc")))
extern "C" unsigned long getauxval(unsigned long) noexcept;
#endif

namespace papilio::inline PAPILIO_MODE::detail {

/// The polynomial, its highest power in the lowest bit, as everything here.
inline constexpr std::uint32_t castagnoli = 0x82f63b78;

/// `x` times the variable, modulo the polynomial.
constexpr std::uint32_t crc_times_x(std::uint32_t x) noexcept
{
    return x >> 1 ^ (x & 1 ? castagnoli : 0);
}

/// The variable to the power `n`, modulo the polynomial.
constexpr std::uint32_t crc_power(unsigned n) noexcept
{
    std::uint32_t x = 0x80000000;
    while (n-- > 0) x = crc_times_x(x);
    return x;
}

/// `rows[k][b]` is the CRC of byte `b` with `k` zeros behind it.
struct crc_bytes {
    crc_bytes() noexcept
    {
        for (std::uint32_t b = 0; b < 256; ++b) {
            std::uint32_t x = b;
            for (int i = 0; i < 8; ++i) x = crc_times_x(x);
            rows[0][b] = x;
        }
        for (std::size_t k = 1; k < 8; ++k)
            for (std::size_t b = 0; b < 256; ++b)
                rows[k][b] = rows[k - 1][b] >> 8 ^ rows[0][rows[k - 1][b] & 0xff];
    }
    std::array<std::array<std::uint32_t, 256>, 8> rows;
};

PAPILIO_DECL std::uint32_t crc32c_by_tables(std::uint32_t crc, const std::byte* at,
                                            std::size_t size) noexcept
{
    static const crc_bytes table;
    for (; size >= 8; at += 8, size -= 8) {
        const auto& rows = table.rows;
        const auto word = load<std::uint64_t>(at) ^ crc;
        crc = rows[7][word & 0xff] ^ rows[6][word >> 8 & 0xff] ^ rows[5][word >> 16 & 0xff] ^
              rows[4][word >> 24 & 0xff] ^ rows[3][word >> 32 & 0xff] ^ rows[2][word >> 40 & 0xff] ^
              rows[1][word >> 48 & 0xff] ^ rows[0][word >> 56];
    }
    for (; size > 0; ++at, --size)
        crc = crc >> 8 ^ table.rows[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xff];
    return crc;
}

#if defined(PAPILIO_CRC_TARGET)

/// `rows[k][b]` is the CRC `b << 8 * k` with `zeros` bytes of zeros behind it.
struct crc_shift {
    explicit crc_shift(std::size_t zeros) noexcept
    {
        for (std::size_t k = 0; k < 4; ++k)
            for (std::uint32_t b = 0; b < 256; ++b) rows[k][b] = b == 0 ? 0 : shifted(k, b, zeros);
    }
    std::uint32_t operator()(std::uint32_t crc) const noexcept
    {
        return rows[0][crc & 0xff] ^ rows[1][crc >> 8 & 0xff] ^ rows[2][crc >> 16 & 0xff] ^
               rows[3][crc >> 24];
    }

private:
    /// The powers of two, by a walk through the zeros; other bytes are sums of theirs.
    std::uint32_t shifted(std::size_t k, std::uint32_t b, std::size_t zeros) const noexcept
    {
        const std::uint32_t lowest = b & (0 - b);
        if (b != lowest) return rows[k][lowest] ^ rows[k][b ^ lowest];
        std::uint32_t x = b << 8 * k;
        for (std::size_t i = 0; i < 8 * zeros; ++i) x = crc_times_x(x);
        return x;
    }
    std::array<std::array<std::uint32_t, 256>, 4> rows;
};

PAPILIO_CRC_TARGET inline std::uint64_t crc_word(std::uint64_t crc, std::uint64_t word) noexcept
{
#if defined(__x86_64__)
    return __builtin_ia32_crc32di(crc, word);
#elif defined(__clang__)
    return __builtin_arm_crc32cd(static_cast<std::uint32_t>(crc), word);
#else
    return __builtin_aarch64_crc32cx(static_cast<std::uint32_t>(crc), word);
#endif
}

/// As many blocks of three times `Lane` bytes as there are.
template <std::size_t Lane>
PAPILIO_CRC_TARGET std::uint64_t crc_lanes(std::uint64_t crc, const std::byte*& at,
                                           std::size_t& size) noexcept
{
    static const crc_shift behind_one(Lane);
    for (; size >= 3 * Lane; at += 3 * Lane, size -= 3 * Lane) {
        std::uint64_t second = 0, third = 0;
        for (std::size_t i = 0; i < Lane; i += 8) {
            crc = crc_word(crc, load<std::uint64_t>(at + i));
            second = crc_word(second, load<std::uint64_t>(at + Lane + i));
            third = crc_word(third, load<std::uint64_t>(at + 2 * Lane + i));
        }
        crc = behind_one(static_cast<std::uint32_t>(crc)) ^ second;
        crc = behind_one(static_cast<std::uint32_t>(crc)) ^ third;
    }
    return crc;
}

PAPILIO_CRC_TARGET inline std::uint32_t crc_instruction_kernel(std::uint32_t begin,
                                                               const std::byte* at,
                                                               std::size_t size) noexcept
{
    std::uint64_t crc = begin;
    crc = crc_lanes<4096>(crc, at, size);
    crc = crc_lanes<256>(crc, at, size);
    for (; size >= 8; at += 8, size -= 8) crc = crc_word(crc, load<std::uint64_t>(at));
    return crc32c_by_tables(static_cast<std::uint32_t>(crc), at, size);
}

#endif

#if defined(__x86_64__)

// The vectors are what g++ and clang offer without <immintrin.h>, as in codec/kernels.
#define PAPILIO_CRC_PRODUCTS __attribute__((target("sse4.2,avx512f,vpclmulqdq")))

using crc_vector = long long __attribute__((vector_size(64)));

PAPILIO_CRC_PRODUCTS inline crc_vector crc_vector_at(const std::byte* at) noexcept
{
    crc_vector v;
    std::memcpy(&v, at, sizeof v);
    return v;
}

/// What `x` comes to behind `next`, in each sixteen bytes, where `by` shifts over the distance.
PAPILIO_CRC_PRODUCTS inline crc_vector crc_fold(crc_vector x, crc_vector by,
                                                crc_vector next) noexcept
{
#if defined(__clang__)
    return __builtin_ia32_pclmulqdq512(x, by, 0x00) ^ __builtin_ia32_pclmulqdq512(x, by, 0x11) ^
           next;
#else
    return __builtin_ia32_vpclmulqdq_v8di(x, by, 0x00) ^
           __builtin_ia32_vpclmulqdq_v8di(x, by, 0x11) ^ next;
#endif
}

/// The factors that move a vector `bits` forward.
PAPILIO_CRC_PRODUCTS inline crc_vector crc_distance(unsigned bits) noexcept
{
    const long long low = crc_power(bits + 31), high = crc_power(bits - 33);
    return crc_vector{low, high, low, high, low, high, low, high};
}

PAPILIO_CRC_PRODUCTS inline std::uint32_t crc_products_kernel(std::uint32_t crc,
                                                              const std::byte* at,
                                                              std::size_t size) noexcept
{
    constexpr std::size_t width = sizeof(crc_vector), block = 4 * width;
    if (size >= 2 * block) {
        static const crc_vector to_next_block = crc_distance(8 * block);
        static const crc_vector to_next = crc_distance(8 * width);
        crc_vector a = crc_vector_at(at), b = crc_vector_at(at + width),
                   c = crc_vector_at(at + 2 * width), d = crc_vector_at(at + 3 * width);
        a[0] ^= static_cast<long long>(crc);
        for (at += block, size -= block; size >= block; at += block, size -= block) {
            a = crc_fold(a, to_next_block, crc_vector_at(at));
            b = crc_fold(b, to_next_block, crc_vector_at(at + width));
            c = crc_fold(c, to_next_block, crc_vector_at(at + 2 * width));
            d = crc_fold(d, to_next_block, crc_vector_at(at + 3 * width));
        }
        a = crc_fold(crc_fold(crc_fold(a, to_next, b), to_next, c), to_next, d);
        std::uint64_t rest = 0;
        for (int i = 0; i < 8; ++i) rest = crc_word(rest, static_cast<std::uint64_t>(a[i]));
        crc = static_cast<std::uint32_t>(rest);
    }
    return crc_instruction_kernel(crc, at, size);
}

#endif

PAPILIO_DECL crc32c_kernel crc32c_by_products() noexcept
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq") &&
        __builtin_cpu_supports("sse4.2"))
        return crc_products_kernel;
#endif
    return nullptr;
}

PAPILIO_DECL crc32c_kernel crc32c_by_instruction() noexcept
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) return crc_instruction_kernel;
#elif defined(PAPILIO_CRC_TARGET)
    constexpr unsigned long hardware = 16, has_crc32 = 1 << 7;  // AT_HWCAP, HWCAP_CRC32
    if ((getauxval(hardware) & has_crc32) != 0) return crc_instruction_kernel;
#endif
    return nullptr;
}

/// The best one, unless `wanted` names a level of the codecs' kernels that has less.
inline crc32c_kernel choose_crc32c(const char* wanted) noexcept
{
    const std::string_view level = wanted == nullptr ? "" : wanted;
    const auto products = level == "scalar" || level == "avx2" ? nullptr : crc32c_by_products();
    const auto instruction = level == "scalar" ? nullptr : crc32c_by_instruction();
    if (products) return products;
    return instruction ? instruction : crc32c_by_tables;
}

}  // namespace papilio::detail

namespace papilio::inline PAPILIO_MODE {

PAPILIO_DECL std::uint32_t crc32c(bytes data, std::uint32_t before) noexcept
{
    static const auto kernel = detail::choose_crc32c(std::getenv("PAPILIO_ISA"));
    return ~kernel(~before, data.data(), data.size());
}

}  // namespace papilio
