#include "threads.hpp"

#include <ATen/Parallel.h>

#include <dlfcn.h>

namespace papilio::example {

void limit_threads(int count)
{
    at::set_num_threads(count);
    // LibTorch multiplies matrices with whatever BLAS was installed; only OpenBLAS has this door.
    using setter = void (*)(int);
    const auto set = reinterpret_cast<setter>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (set != nullptr) set(count);
}

}  // namespace papilio::example
