#pragma once

#include "matrix.hpp"
#include "options.hpp"

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/task.hpp>

#include <string>
#include <vector>

namespace papilio::example {

/// The links of a group. Equal on all its peers.
struct group_figures {
    link_matrix links{0};
    std::vector<std::string> peers;  ///< names or addresses
};

/// Joins the group, or hosts it; measures all pairs, and exchanges the results. Pairs without a
/// common peer are measured at the same time. Calls `invite` with the address at which others join,
/// if this peer hosts. Throws a `problem`.
task<group_figures> measure_group(asio_loop& on, const probe_options& o,
                                  void (*invite)(const std::string& address));

}  // namespace papilio::example
