#pragma once

#include "perf/network/cleanup_process.hpp"
#include "perf/network/delay_line.hpp"

#include <papilio/plan/link_table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// A network in which each peer has a link of its own to a router, as fast and as long as it
/// should be: network namespaces, shaped by token buckets in both directions. It is gone with
/// this, or with its maker, however that ends.
class private_network {
public:
    /// `mbit` are Mbit/s on the wire, by rank. Throws `std::runtime_error` with advice where this
    /// process may not make networks, or `ip` and `tc` are not installed.
    private_network(const std::vector<access_rate>& mbit, double rtt_ms);

    /// Moves this process to where `rank` is at home.
    void enter(int rank) const;

    /// What `rank` is reached at.
    static std::string address(int rank) { return "10.77." + std::to_string(rank) + ".2"; }

    /// The namespace where `rank` is at home.
    std::string home(int rank) const { return name_ + '-' + std::to_string(rank); }
    const std::string& router() const { return name_; }

    /// Payload bytes per second that TCP moves over each link, by rank, and who says so: iperf3,
    /// or where that is not installed the share that full frames have for it.
    struct payload_rates {
        std::vector<access_rate> payload;
        std::string by;
    };
    payload_rates measure_payload() const;

    /// What iperf3 reaches from peer 0 to peer 1, through the delay line between them; nothing
    /// where there is none, or no iperf3.
    struct through {
        double bytes_per_second = 0;
        double rtt_ms = 0;  ///< the least that the sender saw while little was sent
    };
    std::optional<through> measure_through() const;

private:
    double measure_link(int rank, bool down) const;
    void add_link(int rank, const access_rate& mbit);
    void add_delay(double milliseconds);

    std::vector<access_rate> mbit_;
    std::string name_;
    cleanup_process cleanup_;
    std::optional<delay_line> delay_;
};

}  // namespace papilio::perf
