#pragma once

#include "perf/data.hpp"
#include "perf/job.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace papilio::perf {

/// The position of one peer in a worker group, and its access to the other peers.
struct place {
    int rank = 0;
    int peers = 0;
    std::string address;          ///< the other peers reach this peer here
    bool shares_process = false;  ///< true: all peers of the group are threads of one process

    /// Sends a text to every other peer and returns the texts of all peers, by rank. Every peer
    /// must call it.
    std::function<std::vector<std::string>(const std::string&)> exchange;
};

/// The facts that a call reports about itself.
struct call_facts {
    bool measures_wire = false;
    double wire_bytes = 0;
    int lost = 0;
};

/// The end of a system under test in one peer.
class backend {
public:
    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    virtual ~backend() = default;

    virtual bool takes(const job&) const { return true; }

    /// Memory of the system's own for the caller's buffers, of at least `size` bytes. It stays
    /// until it is asked for again, by all peers at the same time. Null: ordinary memory will do.
    virtual std::byte* memory(std::size_t /*size*/) { return nullptr; }

    /// True if the system works in place only. Out of place, the caller then copies `in` to `out`
    /// before each call. The time of this copy does not count.
    virtual bool in_place_only(const job&) const { return false; }

    /// Prepares calls with these buffers. Its time does not count. A null `in` means in place.
    virtual void prepare(const job& j, const void* in, void* out) = 0;

    virtual call_facts call() = 0;

    /// The kind of input. A lossy system gets normal numbers, and an element of its result may
    /// differ from the truth by `tolerance`.
    virtual data_kind data() const { return data_kind::exact; }
    virtual double tolerance(const job&) const { return 0; }
};

using join_function = std::function<std::unique_ptr<backend>(const place&)>;

}  // namespace papilio::perf
