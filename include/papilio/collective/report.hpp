#pragma once

#include <papilio/async/loop.hpp>
#include <papilio/base/config.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/plan/link_history.hpp>
#include <papilio/plan/partition.hpp>

#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

namespace papilio::inline PAPILIO_MODE {

/// A peer whose data is in a result, and how much it weighs there.
struct contributor {
    int rank = 0;
    double weight = 1;
    friend bool operator==(const contributor&, const contributor&) = default;
};

/// A range of the result and whom it was made of, in rank order.
struct contributions {
    part range{};
    std::vector<contributor> from;
    friend bool operator==(const contributions&, const contributions&) = default;
};

/// A peer without which a call has ended in success.
struct departure {
    int rank = 0;
    std::error_code why{};  ///< as far as this peer knows; others may have left it out
    friend bool operator==(const departure&, const departure&) = default;
};

/// Message bytes exchanged with one peer, without the transport's own.
struct traffic {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    friend bool operator==(const traffic&, const traffic&) = default;
};

/// What a call tells its caller. The contributor map is the same on every peer that succeeds. With
/// `salvage` two kinds of calls are exceptions: in a barrier it is who was there as far as the peer
/// knows, and in a reduce_scatter peers that go on without one that has ended before leave out its
/// part, which that one has.
struct report {
    std::uint32_t call = 0;
    codec_id codec{};            ///< how contributions travelled
    codec_id back{};             ///< how the result did
    std::vector<traffic> peers;  ///< by rank
    /// Consecutive ranges that cover the result, but for parts that were lost with their owners: of
    /// a reduce_scatter, and of an all_gather unless all of the part had come to others.
    std::vector<contributions> made_of;
    std::vector<int> radix;               ///< of the stages, as the caller or the call chose them
    std::vector<int> unserved_observers;  ///< who did not fetch the whole result in time

    // With `call_options::salvage`.
    int view = 0;                 ///< the attempt in which the call has ended; 0: none was lost
    std::vector<departure> left;  ///< whom it went on without, by rank
    std::size_t made_again = 0;   ///< elements that were reduced once more, without some peer

    flow up;    ///< of this peer's link, to all others together: see `link_history`
    flow down;  ///< from all others together

    /// The shortest time to the peer that is furthest away and back, of all that this one met;
    /// nothing where the transport does not know.
    std::optional<duration> round_trip;

    // Since the call began; the phases overlap.
    duration reduced{};   ///< this peer's own part was complete
    duration gathered{};  ///< the whole result was here
    duration finished{};  ///< all votes were in

    std::uint64_t bytes_sent() const noexcept
    {
        std::uint64_t sum = 0;
        for (const auto& p : peers) sum += p.sent;
        return sum;
    }
    std::uint64_t bytes_received() const noexcept
    {
        std::uint64_t sum = 0;
        for (const auto& p : peers) sum += p.received;
        return sum;
    }
};

}  // namespace papilio
