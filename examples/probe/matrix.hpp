#pragma once

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace papilio::example {

/// The way from one peer to another. Zeros: not measured.
struct link_figures_each {
    double bytes_per_second = 0;
    double duplex_bytes_per_second = 0;  ///< while as much as possible went the other way, too
    double min = 0, p50 = 0, p99 = 0, jitter = 0;  ///< seconds there and back
};

/// What all links of a group carry. One of each two peers measures both ways.
class link_matrix {
public:
    explicit link_matrix(std::size_t peers) : peers_(peers), cells_(peers * peers * figures) {}

    void note(std::size_t verifier, std::size_t other, const round_trip& trip, const bandwidth& b);

    std::size_t peers() const noexcept { return peers_; }
    link_figures_each at(std::size_t from, std::size_t to) const;

    /// Whether each two peers were measured.
    bool complete() const;

    /// All figures as numbers, in which what others have measured is zero: the sum over all peers
    /// is everybody's matrix.
    std::span<double> numbers() noexcept { return cells_; }

private:
    static constexpr std::size_t figures = 6;

    std::size_t peers_;
    std::vector<double> cells_;  // by from, to, figure
};

/// Who the peers are, in words.
std::string to_table(const link_matrix& m, const std::vector<std::string>& peers);
std::string to_json(const link_matrix& m, const std::vector<std::string>& peers);

}  // namespace papilio::example
