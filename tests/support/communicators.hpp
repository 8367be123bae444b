#pragma once

// Peers of a fixed group in one process, each in a thread of its own. Tests that use them include
// <papilio/session.hpp> themselves, which is how the build knows that they need Asio.

#include <papilio/session.hpp>

#include <sys/socket.h>

#include <netinet/in.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

namespace papilio::test {

/// Endpoints on loopback whose ports nobody listens at.
inline std::vector<tcp::endpoint> free_endpoints(int count)
{
    std::vector<int> sockets;
    std::vector<tcp::endpoint> found;
    for (int i = 0; i < count; ++i) {
        const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        if (s < 0 || ::bind(s, address, size) != 0 || ::getsockname(s, address, &size) != 0)
            throw std::runtime_error("no port is free");
        sockets.push_back(s);
        found.push_back({"127.0.0.1", ntohs(at.sin_port)});
    }
    for (const int s : sockets) ::close(s);
    return found;
}

/// Calls `work(rank)` in a thread for each rank, and throws what the first of them has thrown.
template <class Work>
void in_threads(int count, const Work& work)
{
    std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(count));
    {
        std::vector<std::jthread> threads;
        for (int rank = 0; rank < count; ++rank)
            threads.emplace_back([&, rank] {
                try {
                    work(rank);
                } catch (...) {
                    thrown[static_cast<std::size_t>(rank)] = std::current_exception();
                }
            });
    }
    for (const auto& failure : thrown)
        if (failure) std::rethrow_exception(failure);
}

/// What an all_reduce of a one on each peer gives: how many took part.
inline float sum_of_ones(const communicator& group,
                         call_options o = {.timeout = std::chrono::seconds(10)})
{
    std::vector<float> data{1};
    group.all_reduce_in_place(data, sum{}, o);
    return data[0];
}

/// Calls `work(communicator)` for each peer of a group of `count`.
template <class Work>
void as_group(int count, const Work& work, communicator_options o = {})
{
    const auto endpoints = free_endpoints(count);
    in_threads(count, [&](int rank) {
        communicator group(rank, endpoints, o);
        work(group);
    });
}

}  // namespace papilio::test
