#pragma once

// What every channel keeps, as a table of rules over two ends of one. The second may be destroyed.

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/error.hpp>
#include <papilio/transport/channel.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace papilio::test {

struct channel_rule {
    const char* sentence;
    task<> (*check)(any_channel& a, std::unique_ptr<any_channel>& b);
};

inline std::vector<std::byte> message_of(int number, std::size_t size)
{
    std::vector<std::byte> message(size);
    for (std::size_t i = 0; i < size; ++i)
        message[i] = std::byte((static_cast<std::size_t>(number) * 31 + i * 7 + i / 251) & 0xff);
    return message;
}

inline void must(bool holds, const char* what)
{
    if (!holds) throw std::logic_error(what);
}

/// What receiving fails with; nothing if a message comes.
inline task<std::error_code> failure_of_recv(any_channel& c, std::size_t limit)
{
    std::error_code why;
    try {
        co_await c.recv(limit);
    } catch (const std::system_error& failure) {
        why = failure.code();
    }
    co_return why;
}

namespace detail {

inline task<> send_many(any_channel& c, int count, std::size_t size)
{
    for (int i = 0; i < count; ++i) {
        const auto message = message_of(i, size);
        co_await c.send(message);
    }
}

inline task<> recv_many(any_channel& c, int count, std::size_t size)
{
    for (int i = 0; i < count; ++i) {
        const auto message = co_await c.recv(size);
        must(message == message_of(i, size), "a message came out of order, or changed");
    }
}

inline task<> in_order(any_channel& a, std::unique_ptr<any_channel>& b)
{
    for (const std::size_t size : {0u, 1u, 4096u, 100'000u}) {
        std::vector<task<>> all;
        all.push_back(send_many(a, 40, size));
        all.push_back(recv_many(a, 40, size));
        all.push_back(send_many(*b, 40, size));
        all.push_back(recv_many(*b, 40, size));
        co_await when_all(std::move(all));
    }
}

inline task<> large(any_channel& a, std::unique_ptr<any_channel>& b)
{
    constexpr std::size_t size = std::size_t{9} << 20;
    std::vector<task<>> all;
    all.push_back(send_many(a, 2, size));
    all.push_back(recv_many(*b, 2, size));
    co_await when_all(std::move(all));
}

inline task<> too_large(any_channel& a, std::unique_ptr<any_channel>& b)
{
    const auto message = message_of(1, 101);
    co_await a.send(message);
    const auto why = co_await failure_of_recv(*b, 100);
    must(why == errc::too_large, "a message above the limit was taken");
}

inline task<> close_one(any_channel& c)
{
    co_await c.close();
}

inline task<> hear_the_end(any_channel& c)
{
    const auto last = co_await c.recv(5000);
    must(last == message_of(1, 5000), "the last message changed");
    const auto why = co_await failure_of_recv(c, 100);
    must(why == errc::disconnected, "the end was not noticed");
    co_await c.close();
}

inline task<> orderly_end(any_channel& a, std::unique_ptr<any_channel>& b)
{
    const auto message = message_of(1, 5000);
    co_await a.send(message);
    std::vector<task<>> all;
    all.push_back(close_one(a));
    all.push_back(hear_the_end(*b));
    co_await when_all(std::move(all));
}

inline task<> sudden_end(any_channel& a, std::unique_ptr<any_channel>& b)
{
    b.reset();
    const auto why = co_await failure_of_recv(a, 100);
    must(why == errc::disconnected, "the end was not noticed");
}

inline task<> recv_into(any_channel& c, std::vector<std::byte>& message)
{
    message = co_await c.recv(std::size_t{8} << 20);
}

/// Drops a receive after every few events, until one gets through.
inline task<> dropped_receives(any_channel& a, std::unique_ptr<any_channel>& b)
{
    constexpr std::size_t size = std::size_t{3} << 20;
    task<> sending = send_many(a, 1, size);
    loop& on = co_await this_loop{};
    sending.start(on);
    std::vector<std::byte> message;
    while (message.empty()) {
        task<> receiving = recv_into(*b, message);
        receiving.start(on);
        for (int i = 0; i < 3 && !receiving.finished(); ++i) {
            co_await sleep_for(duration(100'000));
        }
        if (receiving.failed()) receiving.result();
    }
    must(message == message_of(0, size), "a dropped receive lost something");
}

}  // namespace detail

inline const std::vector<channel_rule>& channel_contract()
{
    static const std::vector<channel_rule> rules{
        {"messages arrive whole and in order, both ways", detail::in_order},
        {"a message larger than what may wait arrives, too", detail::large},
        {"a message above the receiver's limit is refused", detail::too_large},
        {"what was sent before an orderly end arrives", detail::orderly_end},
        {"a sudden end is noticed", detail::sudden_end},
        {"a dropped receive loses nothing", detail::dropped_receives},
    };
    return rules;
}

}  // namespace papilio::test
