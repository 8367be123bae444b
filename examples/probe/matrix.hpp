#pragma once

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// One direction of a link. Zeros: not measured.
struct link_figures_each {
    double bytes_per_second = 0;
    double duplex_bytes_per_second = 0;            ///< while the other direction was busy, too
    double min = 0, p50 = 0, p99 = 0, jitter = 0;  ///< of the round trip, in seconds
};

/// The measurements of all links of a group. One peer of each pair measures both directions.
class link_matrix {
public:
    explicit link_matrix(std::size_t peers) : peers_(peers), cells_(peers * peers * figures) {}

    void note(std::size_t verifier, std::size_t other, const round_trip& trip, const bandwidth& b);

    std::size_t peers() const noexcept { return peers_; }
    link_figures_each at(std::size_t from, std::size_t to) const;

    /// Whether every pair was measured.
    bool complete() const;

    /// All figures. Those that other peers measured are zero, so that the sum over all peers is the
    /// whole matrix.
    std::span<double> numbers() noexcept { return cells_; }

private:
    static constexpr std::size_t figures = 6;

    std::size_t peers_;
    std::vector<double> cells_;  // by from, to, figure
};

/// `peers` are their names or addresses.
std::string to_table(const link_matrix& m, const std::vector<std::string>& peers);
std::string to_json(const link_matrix& m, const std::vector<std::string>& peers);

}  // namespace papilio::example
