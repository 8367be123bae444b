#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>

namespace papilio::inline PAPILIO_MODE::detail {

/// A rank or a stage, which is not negative, where a container asks for an index.
constexpr std::size_t index(int i) noexcept
{
    return static_cast<std::size_t>(i);
}

}  // namespace papilio::detail
