#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/probe/detail/bandwidth_request.hpp>
#include <papilio/probe/keystream.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

// The sources and sinks of the chunks by which bandwidth is measured.
namespace papilio::inline PAPILIO_MODE::detail {

/// Sends the chunks of a keystream.
struct stream_source {
    explicit stream_source(keystream s) : stream(s) {}
    bytes chunk(std::size_t i, mutable_bytes scratch) const
    {
        stream.fill(i * (probe_chunk / keystream::block), scratch);
        return scratch;
    }
    void arrived(std::size_t, std::uint64_t, time_point now) { times.push_back(now); }

    keystream stream;
    std::vector<time_point> times;  // of the acknowledgements, in the order of their arrival
};

/// Receives the chunks of a keystream. Throws `errc::mismatch` for a chunk with other bytes.
struct stream_sink {
    stream_sink(keystream s, int from) : stream(s), peer(from), expected(probe_chunk) {}
    mutable_bytes destination(std::size_t, mutable_bytes scratch) const { return scratch; }
    void arrived(std::size_t i, bytes chunk, std::uint64_t, time_point now)
    {
        stream.fill(i * (probe_chunk / keystream::block), expected);
        if (std::memcmp(chunk.data(), expected.data(), expected.size()) != 0)
            throw std::system_error(errc::mismatch,
                                    "peer " + std::to_string(peer) +
                                        " sent other bytes than it was asked to in chunk " +
                                        std::to_string(i));
        times.push_back(now);
    }

    keystream stream;
    int peer;
    std::vector<std::byte> expected;
    std::vector<time_point> times;  // of the chunks' arrival
};

/// Receives chunks and discards them.
struct discarding_sink {
    mutable_bytes destination(std::size_t, mutable_bytes scratch) const { return scratch; }
    void arrived(std::size_t, bytes, std::uint64_t, time_point) const {}
};

}  // namespace papilio::detail
