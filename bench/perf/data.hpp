#pragma once

#include "perf/job.hpp"

#include <papilio/base/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <span>

namespace papilio::perf {

/// The kind of input. `exact` is small integers, whose results are exact in every order. `normal`
/// is normal numbers, whose rounding errors resemble those of real data.
enum class data_kind { exact, normal };

/// A pseudorandom number for each peer and place.
inline std::uint32_t noise(int rank, std::size_t i)
{
    auto x = (static_cast<std::uint64_t>(i) + 1) * 0x9e3779b97f4a7c15u +
             static_cast<std::uint64_t>(rank) * 0xd1b54a32d192ed03u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return static_cast<std::uint32_t>(x >> 40);
}

/// 65,536 draws of a normal distribution. They are the same in every process.
inline const std::vector<float>& normal_numbers()
{
    static const auto table = [] {
        random source(1);
        std::vector<float> all(65'536);
        for (auto& x : all) {
            const double radius = std::sqrt(-2 * std::log(1 - source.uniform()));
            x = static_cast<float>(radius * std::cos(2 * std::numbers::pi * source.uniform()));
        }
        return all;
    }();
    return table;
}

/// An upper bound of the magnitude of `normal_numbers`.
inline constexpr double largest_normal = 5;

/// The largest magnitude whose sum over all peers is exact in a `T`.
template <element T>
int exact_limit(int peers)
{
    int sum = 128 * peers;
    if constexpr (sizeof(T) == 1) sum = 127;
    if constexpr (std::same_as<T, bf16>) sum = 256;
    if constexpr (std::same_as<T, f16>) sum = 2048;
    return std::clamp(sum / peers, 1, 128);
}

/// The input of peer `rank` at place `i`.
template <element T>
double input(data_kind kind, reduction op, int rank, int peers, std::size_t i)
{
    const auto random_bits = noise(rank, i);
    if (kind == data_kind::normal)
        return static_cast<double>(normal_numbers()[random_bits & 0xffff]);
    if (op == reduction::prod) {
        const int sign = std::is_unsigned_v<T> || random_bits % 2 == 0 ? 1 : -1;
        return sign *
               (i % static_cast<std::size_t>(peers) == static_cast<std::size_t>(rank) ? 3 : 1);
    }
    const auto limit = static_cast<std::uint32_t>(exact_limit<T>(peers));
    if constexpr (std::is_unsigned_v<T>) return random_bits % (limit + 1);
    return static_cast<double>(random_bits % (2 * limit + 1)) - limit;
}

/// Converts a double to a `T` through the accumulator type of `T`.
template <element T>
T as_element(double x)
{
    return static_cast<T>(static_cast<accumulator_t<T>>(x));
}

/// Fills `out` with the input of `rank`. `out` holds the elements from `begin` on.
template <element T>
void fill(data_kind kind, const job& j, int rank, int peers, std::size_t begin, std::span<T> out)
{
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = as_element<T>(input<T>(kind, j.op, rank, peers, begin + i));
}

/// The peer that owns element `i`.
inline int owner_of(const job& j, int peers, std::size_t i)
{
    const auto n = static_cast<std::size_t>(peers);
    const auto each = static_cast<std::size_t>(j.count) / n;
    const auto larger = static_cast<std::size_t>(j.count) % n;
    if (i < larger * (each + 1)) return static_cast<int>(i / (each + 1));
    return static_cast<int>(larger + (i - larger * (each + 1)) / each);
}

/// The exact result at place `i`, before it is rounded to a `T`.
template <element T>
double truth(data_kind kind, const job& j, int peers, std::size_t i)
{
    const auto op = j.op;
    if (j.what == collective::broadcast) return input<T>(kind, op, 0, peers, i);
    if (j.what == collective::all_gather)
        return input<T>(kind, op, owner_of(j, peers, i), peers, i);
    double all = input<T>(kind, op, 0, peers, i);
    for (int rank = 1; rank < peers; ++rank) {
        const double x = input<T>(kind, op, rank, peers, i);
        switch (op) {
        case reduction::sum:
        case reduction::avg: all += x; break;
        case reduction::prod: all *= x; break;
        case reduction::min: all = std::min(all, x); break;
        case reduction::max: all = std::max(all, x); break;
        }
    }
    return all;
}

/// Compares a result with the truth. `result` holds the elements from `begin` on. Long results are
/// compared at equal distances only. An element is wrong if its error exceeds `tolerance`.
template <element T>
void check(data_kind kind, const job& j, int peers, double tolerance, std::size_t begin,
           std::span<const T> result, findings& f)
{
    const bool averages = j.op == reduction::avg && (j.what == collective::all_reduce ||
                                                     j.what == collective::reduce_scatter);
    constexpr std::size_t affordable = std::size_t{1} << 28;
    const auto step = 1 + result.size() * static_cast<std::size_t>(peers) / affordable;
    for (std::size_t i = 0; i < result.size(); i += step) {
        double expected = truth<T>(kind, j, peers, begin + i);
        if (averages) {
            const auto all = static_cast<accumulator_t<T>>(expected);
            expected = static_cast<double>(all / static_cast<accumulator_t<T>>(peers));
        }
        if (kind == data_kind::exact)
            expected = static_cast<double>(static_cast<accumulator_t<T>>(as_element<T>(expected)));
        const auto error = static_cast<double>(static_cast<accumulator_t<T>>(result[i])) - expected;
        if (!(std::abs(error) <= tolerance)) ++f.wrong;
        f.squared_error += error * error;
        f.squared_truth += expected * expected;
    }
}

/// A hash that distinguishes results. It is not cryptographic.
inline std::uint64_t digest(std::span<const std::byte> data)
{
    std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
    std::array<std::uint64_t, 4> words{};
    std::size_t i = 0;
    for (; i + sizeof(words) <= data.size(); i += sizeof(words)) {
        std::memcpy(words.data(), data.data() + i, sizeof(words));
        for (std::size_t lane = 0; lane < lanes.size(); ++lane)
            lanes[lane] = (lanes[lane] ^ words[lane]) * 0x9e3779b97f4a7c15u + (lanes[lane] >> 29);
    }
    words = {};
    if (i < data.size()) std::memcpy(words.data(), data.data() + i, data.size() - i);
    return hash(lanes[0], lanes[1], lanes[2], lanes[3], words[0], words[1], words[2], words[3],
                data.size());
}

}  // namespace papilio::perf
