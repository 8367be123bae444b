#pragma once

#include <papilio/codec/kernels/table.hpp>

#include <vector>

namespace papilio::kernels_testing {

/// The levels of kernels that this machine can run, the reference first.
inline std::vector<const detail::kernel_table*> levels()
{
    std::vector<const detail::kernel_table*> found;
    for (const auto level :
         {detail::isa::scalar, detail::isa::neon, detail::isa::avx2, detail::isa::avx512})
        if (const auto* table = detail::kernels_of(level)) found.push_back(table);
    return found;
}

/// What another translation unit makes of the same headers.
const detail::kernel_table& kernels_elsewhere();
std::vector<const detail::kernel_table*> levels_elsewhere();

}  // namespace papilio::kernels_testing
