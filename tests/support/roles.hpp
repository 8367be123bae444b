#pragma once

#include <papilio/plan/role.hpp>

#include <cstddef>
#include <vector>

namespace papilio::test {

/// The roles of `n` peers that are all full.
inline std::vector<role> all_full(std::size_t n)
{
    return std::vector<role>(n, role::full);
}

}  // namespace papilio::test
