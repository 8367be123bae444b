#pragma once

#include <papilio/base/config.hpp>

#include <cstddef>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// How to carry out a call: what `call_options` of the same names take, and the transport's
/// `connections`.
struct schedule {
    std::vector<int> radix = {};      ///< empty: everybody meets everybody
    std::vector<double> shares = {};  ///< empty: equal parts
    std::size_t chunk_bytes = 0;      ///< zero: the engine's choice
    std::size_t in_flight = 0;        ///< zero: the engine's choice
    std::size_t streams = 1;          ///< between two peers
    friend bool operator==(const schedule&, const schedule&) = default;
};

/// What is to be reduced, and what the machines make of it.
struct workload {
    std::size_t bytes = 0;     ///< of data
    double wire_ratio = 1;     ///< bytes on the wire for each of them: the codec's
    double work_per_byte = 0;  ///< seconds of one core to encode, decode and reduce a byte of data
    double per_message = 10e-6;  ///< seconds of one core to send and receive a message
};

}  // namespace papilio
