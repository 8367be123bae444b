#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/random.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE::detail {

/// What the peers of a group are told of the number of a host: in another group it is another one,
/// which nobody can compare with this. 0, a host that is not known, stays 0.
constexpr std::uint64_t host_in_group(std::uint64_t host, std::uint64_t group) noexcept
{
    return host == 0 ? 0 : hash(host, group);
}

}  // namespace papilio::detail
