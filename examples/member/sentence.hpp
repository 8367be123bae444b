#pragma once

#include <string>
#include <system_error>

namespace papilio::example {

/// What a system_error says, without its code's own words behind a colon.
std::string sentence(const std::system_error& failure);

}  // namespace papilio::example
