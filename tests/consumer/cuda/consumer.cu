// papilio beside device code in one unit.

#include <papilio/base/error.hpp>

#include <cstdio>

__global__ void scale(float* x, float by)
{
    x[threadIdx.x] *= by;
}

int main()
{
    std::error_code code = papilio::errc::stalled;
    std::printf("papilio says: %s\n", code.message().c_str());
}
