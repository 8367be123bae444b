#pragma once

// What the rules of a transport's contract are written with: clusters of any transport, and
// programs of their peers.

#include <papilio/async/yield.hpp>
#include <papilio/transport/any_transport.hpp>
#include <papilio/transport/subset.hpp>

#include "support/clusters.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace papilio::test {

using peer_program = std::function<task<>(any_transport&)>;

/// A cluster of some transport.
class any_cluster {
public:
    virtual ~any_cluster() = default;
    virtual void run(const peer_program& p) = 0;
    virtual void lose(int rank) = 0;
};

/// Makes a cluster of so many peers.
using cluster_maker = std::function<std::unique_ptr<any_cluster>(int peers)>;

namespace detail {

template <class Cluster>
class erased_cluster final : public any_cluster {
public:
    explicit erased_cluster(Cluster* c) : cluster_(c)
    {
        for (int rank = 0; rank < cluster_->size(); ++rank)
            nets_.emplace_back(cluster_->peer(rank));
    }
    void run(const peer_program& p) override
    {
        cluster_->run([&](auto& net) { return p(nets_[static_cast<std::size_t>(net.rank())]); });
    }
    void lose(int rank) override { cluster_->lose(rank); }

private:
    std::unique_ptr<Cluster> cluster_;
    std::vector<any_transport> nets_;
};

/// Groups in reverse order within a cluster of two peers more, who take no part.
template <class Cluster>
class erased_groups final : public any_cluster {
public:
    using net_type = std::remove_reference_t<decltype(std::declval<Cluster&>().peer(0))>;

    explicit erased_groups(Cluster* c) : cluster_(c)
    {
        for (int rank = cluster_->size() - 2; rank > 0; --rank) members_.push_back(rank);
        for (const int member : members_) {
            groups_.emplace_back(cluster_->peer(member), members_, 7);
            nets_.emplace_back(groups_.back());
        }
    }
    void run(const peer_program& p) override
    {
        cluster_->run([&](auto& net) {
            const auto found = std::ranges::find(members_, net.rank());
            if (found == members_.end()) return nothing();
            return p(nets_[static_cast<std::size_t>(found - members_.begin())]);
        });
    }
    void lose(int rank) override { cluster_->lose(members_[static_cast<std::size_t>(rank)]); }

private:
    static task<> nothing() { co_return; }

    std::unique_ptr<Cluster> cluster_;
    std::vector<int> members_;
    std::list<subset<net_type>> groups_;
    std::vector<any_transport> nets_;
};

}  // namespace detail

/// Clusters made by `Cluster(peers, args...)`.
template <class Cluster, class... Args>
cluster_maker cluster_of(Args... args)
{
    return [=](int peers) {
        return std::make_unique<detail::erased_cluster<Cluster>>(new Cluster(peers, args...));
    };
}

/// Groups within clusters made by `Cluster(peers, args...)`.
template <class Cluster, class... Args>
cluster_maker group_of(Args... args)
{
    return [=](int peers) {
        return std::make_unique<detail::erased_groups<Cluster>>(new Cluster(peers + 2, args...));
    };
}

namespace contract {

// Programs run in several threads where each peer has one of its own, so they throw.
inline void expect(bool condition, const std::string& what)
{
    if (!condition) throw std::logic_error(what);
}

/// Bytes that no other seed and hardly another size gives.
inline std::vector<std::byte> pattern(std::uint64_t seed, std::size_t size)
{
    std::vector<std::byte> made(size);
    std::uint64_t x = seed * 0x9e3779b97f4a7c15u + size;
    for (std::size_t i = 0; i < size; i += sizeof x) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        const std::uint64_t word = x ^ x >> 32;
        std::memcpy(made.data() + i, &word, std::min(sizeof word, size - i));
    }
    return made;
}

inline task<> send_pattern(any_transport& net, int peer, tag t, std::uint64_t seed,
                           std::size_t size)
{
    const auto message = pattern(seed, size);
    co_await net.send(peer, t, message);
}

inline task<> recv_pattern(any_transport& net, int peer, tag t, std::uint64_t seed,
                           std::size_t size)
{
    std::vector<std::byte> into(size + 10, std::byte{0xaa});
    const auto got = co_await net.recv(peer, t, into);
    expect(got == size,
           "a message of " + std::to_string(size) + " bytes came as one of " + std::to_string(got));
    expect(std::all_of(into.begin() + static_cast<std::ptrdiff_t>(size), into.end(),
                       [](std::byte b) { return b == std::byte{0xaa}; }),
           "a receive wrote beyond its message");
    into.resize(size);
    expect(into == pattern(seed, size), "a message came with other bytes");
}

/// Receives what must not come, because of `why`.
inline task<> recv_failure(any_transport& net, int peer, tag t, std::size_t output, errc why)
{
    std::vector<std::byte> into(output);
    std::error_code told;
    try {
        co_await net.recv(peer, t, into);
    } catch (const std::system_error& e) {
        told = e.code();
    }
    expect(told == why, "a receive should fail with '" + make_error_code(why).message() +
                            "', and the outcome was '" + told.message() + "'");
}

inline tag tag_of(std::uint32_t index, std::uint32_t call = 1)
{
    return make_tag({.call = call, .kind = message_kind::control, .index = index});
}

inline constexpr std::size_t large = std::size_t{9} << 20;
inline constexpr std::size_t sizes[] = {0, 1, 100, 5000, large, 4096, 4080, 3};

/// A few turns of the loop: time for what is ready, and no promise of more.
inline task<> turns(int count)
{
    for (int i = 0; i < count; ++i) {
        co_await yield{};
    }
}

/// Proves to `to` that what `from` sent it before has come, over whichever connection.
inline task<> send_marks(any_transport& net, int to, std::uint32_t call)
{
    for (std::uint32_t i = 0; i < 64; ++i) {
        co_await send_pattern(net, to, tag_of(i, call), i, 8);
    }
}

inline task<> recv_marks(any_transport& net, int from, std::uint32_t call)
{
    for (std::uint32_t i = 0; i < 64; ++i) {
        co_await recv_pattern(net, from, tag_of(i, call), i, 8);
    }
}

}  // namespace contract

}  // namespace papilio::test
