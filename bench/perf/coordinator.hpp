#pragma once

#include "perf/report.hpp"
#include "perf/worker_group.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace papilio::perf {

/// A system under test and its workers.
struct measured_system {
    std::string name;
    bool rival = false;
    bool lossy = false;  ///< the codec rounds, and the result is not exact
    std::unique_ptr<worker_group> peers;
    double bits_per_element = 32;  ///< on the wire, for floats
    /// The count is reduced until identity sends as many bytes as the first codec.
    bool as_many_bytes = false;
    double bits_on_wire(element_type type) const;

    /// Predicts the time of a job in seconds. Zero means no prediction. May be empty.
    std::function<double(const job&)> predict = {};
};

/// Measures all systems at all sizes, in turns. Calls `done` with the rows of each group of
/// comparable rows, and returns all rows. Throws if a peer of papilio fails. A rival that fails is
/// reported and left out from then on. A wrong result is recorded in its row.
std::vector<row> measure_systems(const options& o, std::vector<measured_system>& all,
                                 const link_table& links,
                                 const std::function<void(const std::vector<row>&)>& done);

}  // namespace papilio::perf
