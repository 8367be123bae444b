#include "vectors.hpp"

#include <papilio/base/random.hpp>

#include <cmath>
#include <map>

namespace papilio::example::chaos {

std::vector<float> contribution(std::uint64_t seed, int member, std::uint32_t round,
                                std::size_t elements)
{
    random draw(hash(seed, member, round));
    std::vector<float> numbers(elements);
    for (float& x : numbers) x = static_cast<float>(draw() >> 40) * 0x1p-23f - 1;
    return numbers;
}

namespace {

bool cover(std::span<const contributed_range> ranges, std::size_t size)
{
    std::size_t next = 0;
    for (const auto& r : ranges) {
        if (r.begin != next || r.size > size - next || r.members.empty()) return false;
        next += r.size;
    }
    return next == size;
}

/// In the mean of k floats each of k - 1 sums is rounded, by at most half a unit in the last place
/// of what is at most the sum of the magnitudes, and then the quotient. That comes to one such
/// rounding of that sum, and a little of the second order. False for NaN.
bool is_mean(float got, double sum, double magnitudes, std::size_t k)
{
    return std::abs(got - sum / static_cast<double>(k)) <= magnitudes * 0x1.01p-24;
}

std::size_t count_wrong_in(const contributed_range& r,
                           const std::map<int, std::vector<float>>& given,
                           std::span<const float> mean)
{
    std::vector<const float*> inputs;
    for (const int m : r.members) inputs.push_back(given.at(m).data());
    std::size_t wrong = 0;
    for (std::size_t i = r.begin; i < r.begin + r.size; ++i) {
        double sum = 0, magnitudes = 0;
        for (const float* input : inputs) {
            sum += input[i];
            magnitudes += std::abs(double{input[i]});
        }
        wrong += is_mean(mean[i], sum, magnitudes, inputs.size()) ? 0 : 1;
    }
    return wrong;
}

}  // namespace

std::size_t count_wrong(std::uint64_t seed, std::uint32_t round,
                        std::span<const contributed_range> made_of, std::span<const float> mean)
{
    if (!cover(made_of, mean.size())) return mean.size();
    std::map<int, std::vector<float>> given;
    for (const auto& r : made_of)
        for (const int m : r.members)
            if (auto& numbers = given[m]; numbers.empty())
                numbers = contribution(seed, m, round, mean.size());
    std::size_t wrong = 0;
    for (const auto& r : made_of) wrong += count_wrong_in(r, given, mean);
    return wrong;
}

}  // namespace papilio::example::chaos
