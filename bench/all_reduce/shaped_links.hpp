#pragma once

#include <papilio/plan/link_table.hpp>

#include <string>
#include <vector>

namespace papilio::bench {

/// A network in which each process has a link of its own to a switch, as fast as it should be:
/// network namespaces joined by a bridge, shaped by token buckets in both directions. It is gone
/// with this, whose maker is the only process that may destroy it.
class shaped_links {
public:
    /// `mbit` are Mbit/s on the wire, by rank. Throws `std::runtime_error` with advice where this
    /// process may not make networks, or `ip` and `tc` are not installed.
    shaped_links(const std::vector<access_rate>& mbit, const std::string& congestion);
    ~shaped_links();
    shaped_links(const shaped_links&) = delete;
    shaped_links& operator=(const shaped_links&) = delete;

    /// Moves this process to where `rank` is at home.
    void enter(int rank) const;

    /// What `rank` is reached at.
    static std::string address(int rank) { return "10.77.0." + std::to_string(rank + 1); }

private:
    std::string home(int rank) const { return name_ + "-" + std::to_string(rank); }
    void give_link(int rank, const access_rate& mbit);
    void remove() const;

    std::string name_;
    int maker_;
    int peers_;
};

}  // namespace papilio::bench
