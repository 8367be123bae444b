#include "codec/kernels/levels.hpp"

// The kernels' second translation unit: theirs is one table per process, however many include it.
namespace papilio::kernels_testing {

const detail::kernel_table& kernels_elsewhere()
{
    return detail::kernels();
}

std::vector<const detail::kernel_table*> levels_elsewhere()
{
    return levels();
}

}  // namespace papilio::kernels_testing
