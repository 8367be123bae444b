#pragma once

// The clusters of clusters.hpp over meshes, on real loops. A kind of mesh has
// - `transport`, `options`, `name`
// - `addresses(peers)`: where so many peers listen, for the system to choose the rest

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/yield.hpp>

#include "support/clusters.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace papilio::test {

/// Lets every transport choose a free port, and tells the others.
template <class Peers>
void introduce_all(Peers& peers)
{
    for (auto& one : peers)
        for (auto& other : peers)
            if (one != other) one->set_address(other->rank(), other->local());
}

/// Peers of a mesh on one loop. They are connected already, unless a test wants to see them
/// connect.
template <class Kind>
class mesh_cluster {
public:
    using transport = typename Kind::transport;
    using options = typename Kind::options;
    static constexpr const char* name = Kind::name;
    static constexpr bool threaded = false;

    explicit mesh_cluster(int peers, options o = {}, bool connected = true) : options_(o)
    {
        for (int rank = 0; rank < peers; ++rank)
            peers_.push_back(std::make_unique<transport>(loop_, rank, Kind::addresses(peers), o));
        introduce_all(peers_);
        if (connected) run([](transport& net) { return net.connect(); });
    }

    asio_loop& loop() { return loop_; }
    transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const { return static_cast<int>(peers_.size()); }

    template <class Program>
    void run(Program program)
    {
        std::vector<transport*> living;
        for (auto& p : peers_)
            if (p) living.push_back(p.get());
        run_together(loop_, living, program);
    }

    void lose(int rank) { peers_.at(static_cast<std::size_t>(rank)).reset(); }

    /// Another transport takes the place of one that ends without a word.
    void replace(int rank)
    {
        lose(rank);
        peers_.at(static_cast<std::size_t>(rank)) =
            std::make_unique<transport>(loop_, rank, Kind::addresses(size()), options_);
        introduce_all(peers_);
    }

    /// A few glances at the sockets: what comes over loopback has come by then.
    void settle() { sync_wait(loop_, glances()); }

private:
    static task<> glances()
    {
        for (int event = 0; event < 1000; ++event) {
            co_await yield{};
        }
    }

    options options_;
    asio_loop loop_;
    std::vector<std::unique_ptr<transport>> peers_;
};

/// Peers of a mesh, in a thread each. Their loops stand still between runs.
template <class Kind>
class mesh_threads_cluster {
public:
    using transport = typename Kind::transport;
    using options = typename Kind::options;
    static constexpr const char* name = Kind::threads_name;
    static constexpr bool threaded = true;

    explicit mesh_threads_cluster(int peers, options o = {})
        : loops_(static_cast<std::size_t>(peers))
    {
        for (int rank = 0; rank < peers; ++rank)
            peers_.push_back(std::make_unique<transport>(loops_[static_cast<std::size_t>(rank)],
                                                         rank, Kind::addresses(peers), o));
        introduce_all(peers_);
        run([](transport& net) { return net.connect(); });
    }

    transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const { return static_cast<int>(peers_.size()); }

    template <class Program>
    void run(Program program)
    {
        std::vector<std::pair<asio_loop*, transport*>> living;
        for (std::size_t rank = 0; rank < peers_.size(); ++rank)
            if (peers_[rank]) living.emplace_back(&loops_[rank], peers_[rank].get());
        run_apart(living, program, [this](transport& net) { lose(net.rank()); });
    }

    void lose(int rank) { peers_.at(static_cast<std::size_t>(rank)).reset(); }

private:
    std::vector<asio_loop> loops_;
    std::vector<std::unique_ptr<transport>> peers_;
};

}  // namespace papilio::test
