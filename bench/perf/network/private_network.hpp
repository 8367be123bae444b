#pragma once

#include "perf/network/cleanup_process.hpp"
#include "perf/network/delay_line.hpp"

#include <papilio/plan/link_table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace papilio::perf {

/// A network of network namespaces. Each peer has a namespace and a link to a router, with a rate
/// and a delay. Token buckets shape the link in both directions. The network is removed with this
/// object, however this process ends.
class private_network {
public:
    /// `mbit` is the rate of each link on the wire in Mbit/s, by rank. Throws `std::runtime_error`
    /// with advice without the rights for this, or if `ip` or `tc` is not installed.
    private_network(const std::vector<access_rate>& mbit, double rtt_ms);

    /// Moves this process to the namespace of `rank`.
    void enter(int rank) const;

    /// From now on nothing arrives that `rank` sends; what others send it does.
    void cut(int rank) const;

    /// The link of `rank` goes down at its own end: the others are told nothing.
    void take_down(int rank) const;

    /// The link of `rank` carries a hundredth of what it did, in both directions.
    void slow_down(int rank) const;

    /// Ends what the three above have done.
    void mend(int rank) const;

    /// The IP address of `rank`.
    static std::string address(int rank) { return "10.77." + std::to_string(rank) + ".2"; }

    /// The name of the namespace of `rank`.
    std::string home(int rank) const { return name_ + '-' + std::to_string(rank); }
    const std::string& router() const { return name_; }

    /// The payload bytes per second that TCP moves over each link, by rank, and the source of the
    /// figures: iperf3, or if iperf3 is not installed, the payload share of full frames.
    struct payload_rates {
        std::vector<access_rate> payload;
        std::string by;
    };
    payload_rates measure_payload() const;

    /// The rate and the round trip that iperf3 finds from peer 0 to peer 1 through the delay line.
    /// Returns nothing without a delay line or without iperf3.
    struct through {
        double bytes_per_second = 0;
        double rtt_ms = 0;  ///< the minimum that the sender saw at a low rate
    };
    std::optional<through> measure_through() const;

private:
    double measure_link(int rank, bool down) const;
    std::string default_route(int rank) const;
    void add_link(int rank);
    void add_delay(double milliseconds);
    void set_rates(int rank, double share, const char* how) const;

    std::vector<access_rate> mbit_;
    std::string name_;
    cleanup_process cleanup_;
    std::optional<delay_line> delay_;
};

}  // namespace papilio::perf
