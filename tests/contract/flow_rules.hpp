#pragma once

// The rules of a transport's contract about messages that nobody has asked for yet: what exceeds
// the limit waits where it is sent.

#include "contract/any_cluster.hpp"

#include <atomic>
#include <deque>

namespace papilio::test::contract {

// Fourteen of these are within the limit of 64 MiB, with what each costs beside.
inline constexpr std::size_t heavy = std::size_t{4} << 20;
inline constexpr std::uint32_t too_many = 20;

inline task<> send_filled(any_transport& net, int peer, tag t, std::uint32_t value,
                          std::atomic<std::uint32_t>& sent)
{
    const std::vector<std::byte> message(heavy, static_cast<std::byte>(value));
    co_await net.send(peer, t, message);
    ++sent;
}

inline task<> recv_filled(any_transport& net, int peer, tag t, std::uint32_t value)
{
    std::vector<std::byte> into(heavy);
    const auto got = co_await net.recv(peer, t, into);
    const auto expected = static_cast<std::byte>(value);
    expect(got == heavy && into.front() == expected && into[heavy / 2] == expected &&
               into.back() == expected,
           "a message that waited came with other bytes");
}

/// Sends that have begun, and end when this does.
class started {
public:
    explicit started(loop& on) : on_(on) {}
    void add(task<> work)
    {
        work_.push_back(std::move(work));
        work_.back().start(on_);
    }
    void drop(std::size_t i) { work_.erase(work_.begin() + static_cast<std::ptrdiff_t>(i)); }
    bool all_finished() const
    {
        return std::ranges::all_of(work_, [](const task<>& t) { return t.finished(); });
    }

private:
    loop& on_;
    std::deque<task<>> work_;
};

/// Peer 1 sends more than peer 0 keeps, and then what shows that all that has come which could.
inline task<> send_too_many(any_transport& net, started& sends, std::atomic<std::uint32_t>& sent,
                            std::uint32_t call = 1)
{
    for (std::uint32_t i = 0; i < too_many; ++i)
        sends.add(send_filled(net, 0, tag_of(i, call), i, sent));
    co_await send_marks(net, 0, 2);
}

inline task<> recv_too_many(any_transport& net, std::uint32_t step)
{
    for (std::uint32_t i = 0; i < too_many; ++i) {
        const auto next = i * step % too_many;
        co_await recv_filled(net, 1, tag_of(next), next);
    }
}

inline void lets_messages_wait(const cluster_maker& make)
{
    for (const std::uint32_t step :
         {1u, too_many - 1, 7u}) {  // first to last, last to first, mixed
        const auto cluster = make(2);
        std::atomic<std::uint32_t> sent = 0;
        cluster->run([&](any_transport& net) -> task<> {
            loop& on = co_await this_loop{};
            if (net.rank() == 0) {
                co_await recv_marks(net, 1, 2);
                co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
                co_await recv_pattern(net, 1, tag_of(10, 3), 10, 1);
                co_await recv_too_many(net, step);
                co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
                co_return;
            }
            started sends(on);
            co_await send_too_many(net, sends, sent);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            expect(sent <= 14, std::to_string(sent) + " messages were sent before any receive");
            co_await send_pattern(net, 0, tag_of(10, 3), 10, 1);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            expect(sends.all_finished(), "a message has come, and its send has not ended");
        });
    }
}

inline void keeps_order_beyond_the_limit(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        loop& on = co_await this_loop{};
        started sends(on);
        if (net.rank() == 1) {
            for (std::uint32_t i = 0; i < too_many; ++i)
                sends.add(send_filled(net, 0, tag_of(1), i, sent));
            co_await send_marks(net, 0, 2);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        for (std::uint32_t i = 0; i < too_many / 2; ++i) {
            co_await recv_filled(net, 1, tag_of(1), i);
        }
        std::vector<task<>> together;
        for (std::uint32_t i = too_many / 2; i < too_many; ++i)
            together.push_back(recv_filled(net, 1, tag_of(1), i));
        co_await when_all(std::move(together));
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

inline void withdraws_dropped_sends(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        loop& on = co_await this_loop{};
        started sends(on);
        if (net.rank() == 1) {
            for (std::uint32_t i = 0; i < too_many; ++i)
                sends.add(send_filled(net, 0, tag_of(i), i, sent));
            for (std::uint32_t value : {50u, 51u, 52u})
                sends.add(send_filled(net, 0, tag_of(99), value, sent));
            co_await turns(20);
            sends.drop(too_many + 1);
            sends.drop(too_many);
            co_await send_marks(net, 0, 2);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        co_await recv_filled(net, 1, tag_of(99), 52);
        co_await recv_too_many(net, 1);
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

inline void keeps_what_was_asked_for(const cluster_maker& make)
{
    for (const int after : {0, 1, 5, 100}) {
        const auto cluster = make(2);
        std::atomic<std::uint32_t> sent = 0;
        cluster->run([&](any_transport& net) -> task<> {
            loop& on = co_await this_loop{};
            started work(on);
            if (net.rank() == 1) {
                co_await send_too_many(net, work, sent);
                // Of one whose receive is dropped half-way the rest is discarded; then this comes.
                work.add(send_filled(net, 0, tag_of(too_many - 1), too_many - 1, sent));
                co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
                co_return;
            }
            co_await recv_marks(net, 1, 2);
            work.add(recv_filled(net, 1, tag_of(too_many - 1), too_many - 1));
            co_await turns(after);
            work.drop(0);
            co_await recv_too_many(net, 1);
            co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
        });
    }
}

inline void refuses_large_messages_that_wait(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        loop& on = co_await this_loop{};
        started sends(on);
        constexpr std::uint32_t last = too_many - 1;
        if (net.rank() == 1) {
            co_await send_too_many(net, sends, sent);
            sends.add(send_filled(net, 0, tag_of(last), last, sent));
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        co_await recv_failure(net, 1, tag_of(last), heavy - 1, errc::too_large);
        co_await recv_too_many(net, 1);
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

inline void declines_discarded_calls(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        if (net.rank() == 1) {
            for (int round = 0; round < 2; ++round) {  // before it is discarded, and afterwards
                std::vector<task<>> work;
                for (std::uint32_t i = 0; i < too_many; ++i)
                    work.push_back(send_filled(net, 0, tag_of(i, 5), i, sent));
                work.push_back(send_marks(net, 0, 2));
                co_await when_all(std::move(work));
            }
            co_await send_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        net.discard_call(tag_of(7, 5));
        co_await recv_marks(net, 1, 2);
        co_await recv_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

inline void ends_waiting_sends(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        if (net.rank() == 0) {
            co_await recv_marks(net, 1, 2);
            cluster->lose(0);
            co_return;
        }
        loop& on = co_await this_loop{};
        started sends(on);
        co_await send_too_many(net, sends, sent);
        co_await recv_failure(net, 0, tag_of(9, 3), 1, errc::disconnected);
        co_await turns(10);
        expect(sends.all_finished() && sent < too_many, "a send waits for a peer that is gone");
    });
}

}  // namespace papilio::test::contract
