#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>

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

/// The error of what was tried until its time was up. Want of resources stays visible: the other
/// side has not even been asked then.
inline std::error_code why_late(const std::error_code& last_try) noexcept
{
    return lacks_resources(last_try) ? last_try : make_error_code(errc::timed_out);
}

}  // namespace papilio::detail
