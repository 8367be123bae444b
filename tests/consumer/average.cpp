#include "average.hpp"

#include <utility>

namespace {

pa::task<> average(pa::inproc::transport& net, std::vector<float>& mean)
{
    const std::vector<float> mine(1000, static_cast<float>(net.rank()));
    co_await pa::all_reduce(net, mine, mean, pa::mean{}, pa::identity{});
}

}  // namespace

pa::task<std::vector<float>> average_of_both(pa::inproc::group& peers)
{
    std::vector<float> first(1000);
    std::vector<float> second(1000);
    std::vector<pa::task<>> both;
    both.push_back(average(peers.peer(0), first));
    both.push_back(average(peers.peer(1), second));
    co_await pa::when_all(std::move(both));
    co_return first == second ? first : std::vector<float>{};
}
