#pragma once

#include "perf/data.hpp"
#include "perf/job.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace papilio::perf {

/// One of the peers of a worker group, and how it finds the others.
struct place {
    int rank = 0;
    int peers = 0;
    std::string address;          ///< where others reach this peer
    bool shares_process = false;  ///< with all others of its worker group

    /// Gives a text to every other peer, and returns all of theirs by rank. All call it together.
    std::function<std::vector<std::string>(const std::string&)> exchange;
};

/// What a call says about itself.
struct call_facts {
    bool measures_wire = false;
    double wire_bytes = 0;
    int lost = 0;
};

/// One peer's end of a system that can reduce.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    virtual bool takes(const job&) const { return true; }

    /// Works in place only: out of place, the caller has copied `in` to `out`, and nobody counts
    /// the time for that.
    virtual bool in_place_only(const job&) const { return false; }

    /// Comes before calls with these buffers, and is not measured. Without `in`, in place.
    virtual void prepare(const job& j, const void* in, void* out) = 0;

    virtual call_facts call() = 0;

    /// A lossy system is shown normal numbers, and its results may be off by `tolerance`.
    virtual data_kind data() const { return data_kind::exact; }
    virtual double tolerance(const job&) const { return 0; }
};

using join_function = std::function<std::unique_ptr<backend>(const place&)>;

}  // namespace papilio::perf
