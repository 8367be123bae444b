#pragma once

#include "thresholds.hpp"

#include <papilio/async/gate.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/session/member_network.hpp>
#include <papilio/swarm/membership.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace papilio::example {

/// Measures the links to the miners of a run, between rounds. Belongs to the loop of `network`.
class link_monitor {
public:
    link_monitor(member_network& network, std::size_t probe_bytes);

    /// Measures each miner once per round, until it is dropped. While `averaging` is open it
    /// measures nothing: that cancels the current measurement, which is the first of the next
    /// pause. `run` and `averaging` must outlive the task.
    task<> run(const membership& run, gate& averaging);

    /// The latest measurements, whenever they were. A link whose last one failed has figures no
    /// more, and one that was never measured to its end is missing.
    const std::map<std::uint16_t, measured_link>& links() const { return links_; }

    /// The id is a new member's.
    void forget(std::uint16_t id);

private:
    std::optional<std::uint16_t> next(const membership& run);
    task<> measure(std::uint16_t id, std::uint32_t round);

    member_network& network_;
    std::size_t probe_bytes_;
    secret_key secret_;
    std::map<std::uint16_t, measured_link> links_;
    std::map<std::uint16_t, std::uint32_t> tried_;  // rounds done at the time, plus one
};

}  // namespace papilio::example
