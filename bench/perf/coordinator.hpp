#pragma once

#include "perf/report.hpp"
#include "perf/worker_group.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace papilio::perf {

/// A system under test and the peers that run it.
struct measured_system {
    std::string name;
    bool rival = false;
    bool lossy = false;  ///< its codec rounds: the result is not exact
    std::unique_ptr<worker_group> peers;
    double bits_per_element = 32;  ///< that floats take on the wire
    bool as_many_bytes = false;    ///< gets fewer elements, so as to send what such bits would
    double bits_on_wire(element_type type) const;

    /// What was expected of a job, in seconds; zero where there is no opinion. May be empty.
    std::function<double(const job&)> predict = {};
};

/// Measures all systems at all sizes, in turns, and calls `done` with the rows of each group.
/// Throws when a peer fails; a rival's is left out from then on, with a word about it. A wrong
/// result only stands in its row. Returns all rows.
std::vector<row> measure_systems(const options& o, std::vector<measured_system>& all,
                                 const link_table& links,
                                 const std::function<void(const std::vector<row>&)>& done);

}  // namespace papilio::perf
