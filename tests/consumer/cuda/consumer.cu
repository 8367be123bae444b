// papilio beside device code in one unit. It needs nvcc, and no GPU: the kernel is not launched.

#include "../average.hpp"

#include <cstdio>

__global__ void scale(float* x, float by)
{
    x[threadIdx.x] *= by;
}

pa::task<> average(pa::inproc::transport& net)
{
    const std::vector<float> mine(1000, static_cast<float>(net.rank()));
    std::vector<float> mean(mine.size());
    co_await pa::all_reduce(net, mine, mean, pa::mean{}, pa::identity{});
    std::printf("the mean is %g\n", mean[0]);
}

pa::task<> both(pa::inproc::group& peers)
{
    std::vector<pa::task<>> work;
    work.push_back(average(peers.peer(0)));
    work.push_back(average(peers.peer(1)));
    co_await pa::when_all(std::move(work));
}

int main()
{
    pa::thread_loop loop;
    pa::inproc::group peers(2, loop);
    pa::sync_wait(loop, both(peers));
}
