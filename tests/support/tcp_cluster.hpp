#pragma once

// The clusters of clusters.hpp over real sockets. Tests that use them include
// <papilio/transport/tcp.hpp> themselves, which is how the build knows that they need Asio.

#include <papilio/async/yield.hpp>
#include <papilio/transport/tcp.hpp>

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
            if (one != other) one->introduce(other->rank(), other->local());
}

inline std::vector<tcp::endpoint> any_ports(int count)
{
    return std::vector<tcp::endpoint>(static_cast<std::size_t>(count),
                                      tcp::endpoint{"127.0.0.1", 0});
}

/// Peers of a TCP mesh on loopback, on one loop. They are connected already, unless a test wants
/// to see them connect.
class tcp_cluster {
public:
    static constexpr const char* name = "tcp";
    static constexpr bool threaded = false;

    explicit tcp_cluster(int peers, tcp::options o = {}, bool connected = true)
    {
        for (int rank = 0; rank < peers; ++rank)
            peers_.push_back(std::make_unique<tcp::transport>(loop_, rank, any_ports(peers), o));
        introduce_all(peers_);
        if (connected) run([](tcp::transport& net) { return net.connect(); });
    }

    asio_loop& loop() { return loop_; }
    tcp::transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const { return static_cast<int>(peers_.size()); }

    template <class Program>
    void run(Program program)
    {
        std::vector<tcp::transport*> living;
        for (auto& p : peers_)
            if (p) living.push_back(p.get());
        run_together(loop_, living, program);
    }

    void lose(int rank) { peers_.at(static_cast<std::size_t>(rank)).reset(); }

    /// A few glances at the sockets: what comes over loopback has come by then.
    void settle() { sync_wait(loop_, glances()); }

private:
    static task<> glances()
    {
        for (int event = 0; event < 1000; ++event) {
            co_await yield{};
        }
    }

    asio_loop loop_;
    std::vector<std::unique_ptr<tcp::transport>> peers_;
};

/// Peers of a TCP mesh on loopback, in a thread each. Their loops stand still between runs.
class tcp_threads_cluster {
public:
    static constexpr const char* name = "tcp, threads";
    static constexpr bool threaded = true;

    explicit tcp_threads_cluster(int peers, tcp::options o = {})
        : loops_(static_cast<std::size_t>(peers))
    {
        for (int rank = 0; rank < peers; ++rank)
            peers_.push_back(std::make_unique<tcp::transport>(
                loops_[static_cast<std::size_t>(rank)], rank, any_ports(peers), o));
        introduce_all(peers_);
        run([](tcp::transport& net) { return net.connect(); });
    }

    tcp::transport& peer(int rank) { return *peers_.at(static_cast<std::size_t>(rank)); }
    int size() const { return static_cast<int>(peers_.size()); }

    template <class Program>
    void run(Program program)
    {
        std::vector<std::pair<asio_loop*, tcp::transport*>> living;
        for (std::size_t rank = 0; rank < peers_.size(); ++rank)
            if (peers_[rank]) living.emplace_back(&loops_[rank], peers_[rank].get());
        run_apart(living, program, [this](tcp::transport& net) { lose(net.rank()); });
    }

    void lose(int rank) { peers_.at(static_cast<std::size_t>(rank)).reset(); }

private:
    std::vector<asio_loop> loops_;
    std::vector<std::unique_ptr<tcp::transport>> peers_;
};

}  // namespace papilio::test
