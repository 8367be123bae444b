#pragma once

#include <papilio/base/config.hpp>

#include <system_error>

namespace papilio::inline PAPILIO_MODE::detail {

/// Whether the system has refused for want of descriptors or memory: this may pass, and nothing is
/// wrong with what was asked for.
inline bool lacks_resources(const std::error_code& error) noexcept
{
    return error == std::errc::too_many_files_open ||
           error == std::errc::too_many_files_open_in_system ||
           error == std::errc::no_buffer_space || error == std::errc::not_enough_memory;
}

}  // namespace papilio::detail
