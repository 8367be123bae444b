#pragma once

#include <papilio/base/element.hpp>
#include <papilio/base/random.hpp>

#include <array>
#include <cstring>
#include <span>
#include <vector>

// What the tests of all operations share: contributions to reduce, and a way to reduce them.
namespace papilio::op_testing {

template <class T>
using contributions_of = std::vector<std::vector<T>>;

/// Numbers of mixed sign and size, so that the order of additions shows in the last bits; integers
/// use all of their range.
template <class T>
contributions_of<T> some_versions(std::size_t count, std::size_t size)
{
    random numbers(hash(count, size));
    contributions_of<T> result(count, std::vector<T>(size));
    for (auto& contribution : result) {
        for (auto& x : contribution) {
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
std::vector<T> reduce(Op op, const contributions_of<T>& contributions,
                      std::vector<double> weights = {})
{
    weights.resize(contributions.size(), 1);
    const std::vector<std::span<const T>> spans(contributions.begin(), contributions.end());
    std::vector<T> out(contributions[0].size());
    op.reduce(std::span<const std::span<const T>>(spans), std::span<const double>(weights),
              std::span<T>(out));
    return out;
}

/// Folds element by element, in rank order, in `accumulator_t<T>`: what operations must equal bit
/// for bit.
template <class T, class Combine, class Finish>
std::vector<T> reduce_plainly(const contributions_of<T>& contributions, Combine combine,
                              Finish finish)
{
    std::vector<T> result;
    for (std::size_t i = 0; i < contributions[0].size(); ++i) {
        auto reduced = static_cast<accumulator_t<T>>(contributions[0][i]);
        for (std::size_t k = 1; k < contributions.size(); ++k)
            reduced = combine(reduced, static_cast<accumulator_t<T>>(contributions[k][i]));
        result.push_back(static_cast<T>(finish(reduced)));
    }
    return result;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Around the sizes at which reducing by tiles and by several contributions at a time changes its
/// ways.
inline constexpr std::array<std::size_t, 9> delicate_sizes{0,   1,    7,    511, 512,
                                                           513, 1024, 1025, 3000};
inline constexpr std::array<std::size_t, 9> delicate_counts{1, 2, 3, 4, 5, 6, 7, 8, 16};

}  // namespace papilio::op_testing
