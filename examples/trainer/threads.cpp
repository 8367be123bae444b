#include "threads.hpp"

#include <ATen/Parallel.h>

#include <dlfcn.h>

#include <cstdlib>
#include <string_view>

namespace papilio::example {

void limit_threads(int count)
{
    const char* policy = std::getenv("OMP_WAIT_POLICY");
    const std::string_view waits = policy != nullptr ? policy : "";
    const bool passive = waits == "passive" || waits == "PASSIVE";
    at::set_num_threads(passive ? count : 1);
    // LibTorch multiplies matrices with whatever BLAS was installed; only OpenBLAS has this door.
    using setter = void (*)(int);
    const auto set = reinterpret_cast<setter>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (set != nullptr) set(count);
}

}  // namespace papilio::example
