#pragma once

#include "all_reduce/options.hpp"
#include "all_reduce/processes.hpp"
#include "all_reduce/shaped_links.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace papilio::bench {

/// One of the processes of a run, and how it finds the others.
struct place {
    int rank;
    int peers;
    std::string folder;  ///< empty at the beginning; for files that the processes share
    bool shaped;         ///< each process has a network of its own
    meeting_point& meeting;
    shared_array<std::uint16_t>& ports;  ///< one per rank
};

/// Where a process of the run is reached.
inline std::string address_of(const place& p, int rank)
{
    return p.shaped ? shaped_links::address(rank) : "127.0.0.1";
}

/// One process's end of a system that can sum.
class contestant {
public:
    contestant() = default;
    contestant(const contestant&) = delete;
    contestant& operator=(const contestant&) = delete;
    virtual ~contestant() = default;

    /// Works in place only: `sum` ignores `in`, and the caller has copied it to `out`.
    virtual bool in_place_only() const { return false; }

    virtual bool takes(std::size_t /*elements*/) const { return true; }

    /// Comes before calls of `sum` with these buffers, and is not measured. An empty `in` asks for
    /// a sum in place.
    virtual void prepare(std::span<const float> in, std::span<float> out) = 0;

    virtual void sum() = 0;

    /// What `sum` may be wrong by, when the data lies between -128 and 127.
    virtual double tolerance() const { return 0; }
};

/// What can be asked to take part: all processes list the same systems in the same order, and call
/// `join` together.
struct system_under_test {
    std::string name;
    bool rival;
    std::unique_ptr<contestant> (*join)(const place&, const options&);
};

/// papilio first.
std::vector<system_under_test> systems(const options& o);

std::unique_ptr<contestant> join_papilio(const place& p, const options& o);

/// Nothing where gloo is not installed.
std::vector<system_under_test> gloo_systems();

}  // namespace papilio::bench
