// error: a mean of integers

#include <papilio/op/mean.hpp>

#include <array>
#include <span>
#include <vector>

int main()
{
    const std::vector<int> one(4), two(4);
    const std::array<std::span<const int>, 2> versions{one, two};
    const std::array<double, 2> weights{1, 1};
    std::vector<int> out(4);
    papilio::mean{}.reduce(std::span<const std::span<const int>>(versions), weights,
                           std::span<int>(out));
}
