// A stranger's first program: two peers average a vector, with what came by installing papilio.

#include "average.hpp"

#include <cstdio>

int main()
{
    pa::thread_loop loop;
    pa::inproc::group peers(2, loop);
    const std::vector<float> mean = pa::sync_wait(loop, average_of_both(peers));
    std::printf("the mean is %g\n", mean[0]);
    return mean == std::vector<float>(1000, 0.5F) ? 0 : 1;
}
