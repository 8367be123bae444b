#pragma once

#include <papilio/base/element.hpp>
#include <papilio/base/random.hpp>

#include <array>
#include <cstring>
#include <span>
#include <vector>

// What the tests of all operations share: versions to reduce, and a way to reduce them.
namespace papilio::op_testing {

template <class T>
using versions_of = std::vector<std::vector<T>>;

/// Numbers of mixed sign and size, so that the order of additions shows in the last bits; integers
/// use all of their range.
template <class T>
versions_of<T> some_versions(std::size_t count, std::size_t size)
{
    random numbers(hash(count, size));
    versions_of<T> result(count, std::vector<T>(size));
    for (auto& version : result) {
        for (auto& x : version) {
            if constexpr (integer_element<T>)
                x = static_cast<T>(numbers());
            else
                x = static_cast<T>(
                    static_cast<float>(numbers.normal() * (1 + 9 * numbers.uniform())));
        }
    }
    return result;
}

template <class T, class Op>
std::vector<T> reduce(Op op, const versions_of<T>& versions, std::vector<double> weights = {})
{
    weights.resize(versions.size(), 1);
    const std::vector<std::span<const T>> spans(versions.begin(), versions.end());
    std::vector<T> out(versions[0].size());
    op.reduce(std::span<const std::span<const T>>(spans), std::span<const double>(weights),
              std::span<T>(out));
    return out;
}

/// Folds element by element, in rank order, in `accumulator_t<T>`: what operations must equal bit
/// for bit.
template <class T, class Combine, class Finish>
std::vector<T> fold_plainly(const versions_of<T>& versions, Combine combine, Finish finish)
{
    std::vector<T> result;
    for (std::size_t i = 0; i < versions[0].size(); ++i) {
        auto folded = static_cast<accumulator_t<T>>(versions[0][i]);
        for (std::size_t k = 1; k < versions.size(); ++k)
            folded = combine(folded, static_cast<accumulator_t<T>>(versions[k][i]));
        result.push_back(static_cast<T>(finish(folded)));
    }
    return result;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Around the sizes at which folding by tiles and by several versions at a time changes its ways.
inline constexpr std::array<std::size_t, 9> delicate_sizes{0,   1,    7,    511, 512,
                                                           513, 1024, 1025, 3000};
inline constexpr std::array<std::size_t, 9> delicate_counts{1, 2, 3, 4, 5, 6, 7, 8, 16};

}  // namespace papilio::op_testing
