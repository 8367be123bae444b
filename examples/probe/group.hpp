#pragma once

#include "matrix.hpp"
#include "options.hpp"

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>

#include <string>
#include <vector>

namespace papilio::example {

/// What a group found out, the same for all its peers.
struct group_figures {
    link_matrix links{0};
    std::vector<std::string> peers;  ///< names or places
};

/// Meets the others as a miner meets its run, measures all pairs, and tells everybody. Pairs
/// without a peer in common are measured at the same time. Calls `invite` with the address at which
/// others join, where this one hosts. Throws a `problem`.
task<group_figures> measure_group(asio_loop& on, const probe_options& o,
                                  void (*invite)(const std::string& address));

/// Whom `peer` is paired with in turn `turn` of a tournament of so many peers, in which all meet
/// all within `peers` turns; itself: nobody.
std::size_t partner(std::size_t peer, std::size_t turn, std::size_t peers);

}  // namespace papilio::example
