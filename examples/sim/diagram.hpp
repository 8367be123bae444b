#pragma once

#include "run.hpp"

#include <string>

namespace papilio::example::simulator {

/// A run whose messages were kept, as a picture in SVG: time from left to right, a line for each
/// peer, and one for each message from when it was sent to when it arrived. What happened has
/// numbers, and is told below.
std::string to_svg(const run_record& r);

}  // namespace papilio::example::simulator
