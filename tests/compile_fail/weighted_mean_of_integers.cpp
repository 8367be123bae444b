// error: a mean of integers

#include <papilio/op/weighted_mean.hpp>

#include <array>

int main()
{
    const std::array<int, 4> one{}, two{};
    const std::array<std::span<const int>, 2> versions{one, two};
    const std::array<double, 2> weights{1, 1};
    std::array<int, 4> out{};
    papilio::weighted_mean{}.reduce(std::span<const std::span<const int>>(versions), weights,
                                    std::span<int>(out));
}
