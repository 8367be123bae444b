#pragma once

#include <papilio/async/event.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/tag.hpp>

#include <cstddef>

namespace papilio::inline PAPILIO_MODE::sim {

/// A message of a simulated run, as `world::record` notes it.
struct carried_message {
    int from = 0;
    int to = 0;
    tag what{};
    std::size_t size = 0;
    bool ends_link = false;  ///< no message, but the end of the link between the two
    bool arrived = false;    ///< false: it was lost, or it waits until its receiver can be reached
    time_point sent{};
    time_point arrives{};  ///< when the last byte did, or would have
};

}  // namespace papilio::sim
