#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace papilio::test {

/// The bytes of which these are the values, signed or not.
inline std::vector<std::byte> bytes_of(std::initializer_list<int> values)
{
    std::vector<std::byte> result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
}

}  // namespace papilio::test
