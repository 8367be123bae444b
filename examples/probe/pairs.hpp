#pragma once

#include "matrix.hpp"
#include "options.hpp"

#include <papilio/async/task.hpp>
#include <papilio/probe/keystream.hpp>
#include <papilio/transport/subset.hpp>
#include <papilio/transport/tcp.hpp>

#include <vector>

namespace papilio::example {

/// Measures the links of one peer of a group. Belongs to the loop of `net`.
class pair_measurement {
public:
    pair_measurement(tcp::transport& net, const probe_options& o);

    /// Measures the pairs of all peers, and returns all results on every peer. Prints why a pair
    /// could not be measured; it is missing from the result.
    task<link_matrix> run(subset<tcp::transport>& peers);

private:
    void serve(loop& on, int id);
    task<> measure(int id, int me, int other, link_matrix& links);
    task<bandwidth> measure_rates(int id);

    tcp::transport& net_;
    probe_options options_;
    secret_key secret_;
    std::vector<task<>> serving_;
};

}  // namespace papilio::example
