#pragma once

#include <papilio/async/asio_loop.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/transport/base.hpp>

#include <array>
#include <chrono>
#include <system_error>

namespace papilio::test {

/// Two honest peers, 0 and 2, that are connected, in a group whose third, 1, is played by a
/// stranger.
template <transport Net>
struct honest_pair {
    template <class Endpoint, class Options>
    honest_pair(const Endpoint& here, const Options& o)
        : zero(loop, 0, {here, {}, {}}, o), two(loop, 2, {zero.local(), {}, here}, o)
    {
        sync_wait(loop, two.connect({0}, std::chrono::seconds(20)));
        sync_wait(loop, zero.connect({2}, std::chrono::seconds(20)));
    }

    /// Why a receive from peer 1 fails.
    std::error_code verdict(tag t = tag{99})
    {
        std::array<std::byte, 10> into{};
        try {
            sync_wait(loop, zero.recv(1, t, into));
        } catch (const std::system_error& e) {
            return e.code();
        }
        return {};
    }

    /// The honest peers still talk to each other.
    bool unharmed()
    {
        const auto talk = [this]() -> task<bool> {
            std::array<std::byte, 10> buffer{};
            co_await two.send(0, tag{5}, buffer);
            const auto got = co_await zero.recv(2, tag{5}, buffer);
            co_return got == 10;
        };
        return sync_wait(loop, talk());
    }

    asio_loop loop;
    Net zero;
    Net two;
};

}  // namespace papilio::test
