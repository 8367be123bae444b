// A group whose processes a launcher starts: `mpirun -n 4 launched`, or by srun, torchrun or
// mpiexec.

#include <papilio/session.hpp>

#include <cstdio>
#include <vector>

namespace pa = papilio;

int main()
try {
    auto group = pa::communicator::from_environment();
    std::vector<float> gradient(1000, static_cast<float>(group.rank()));
    group.all_reduce_in_place(gradient, pa::mean{});
    std::printf("rank %d of %d: the mean is %.2f\n", group.rank(), group.size(), gradient[0]);
    group.close();
} catch (const std::exception& failure) {
    std::fprintf(stderr, "launched: %s\n", failure.what());
    return 1;
}
