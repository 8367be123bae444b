#pragma once

// The rules of a transport's contract about the views of calls: a call hears of messages about
// them without a receive, and answers them after its end.

#include <papilio/async/gate.hpp>

#include "contract/any_cluster.hpp"
#include "contract/flow_rules.hpp"

namespace papilio::test::contract {

inline tag view_tag(std::uint32_t call, message_kind kind = message_kind::view,
                    std::uint32_t index = 0, std::uint32_t view = 0)
{
    return make_tag({.call = call, .kind = kind, .index = index, .view = view});
}

/// A call that is watched while this exists.
class watch {
public:
    watch(any_transport& net, tag t) : net_(net)
    {
        expect(net.watch_call(t, heard_), "a call cannot be watched");
    }
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch() { net_.unwatch_call(heard_); }

    gate& heard() noexcept { return heard_; }

private:
    any_transport& net_;
    gate heard_;
};

inline task<> expect_nothing(any_transport& net, int from, tag t, const char* what)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> into(200'000);
    task<std::size_t> receive = net.recv(from, t, into);
    receive.start(on);
    co_await turns(10);
    expect(!receive.finished(), what);
}

/// Peer 1 is told by a message of call 9 when to send.
inline task<> hear_of_views(any_transport& net, message_kind kind, bool early)
{
    if (net.rank() == 1) {
        co_await recv_pattern(net, 0, tag_of(1, 9), 1, 1);
        co_await send_pattern(net, 0, view_tag(6), 1, 100);
        co_await send_pattern(net, 0, view_tag(5, message_kind::vote), 2, 100);
        co_await send_marks(net, 0, 2);
        co_await recv_pattern(net, 0, tag_of(2, 9), 2, 1);
        co_await send_pattern(net, 0, view_tag(5, kind), 3, 100);
        co_await send_marks(net, 0, 3);
        co_return;
    }
    watch of(net, view_tag(5));
    co_await send_pattern(net, 1, tag_of(1, 9), 1, 1);
    co_await recv_marks(net, 1, 2);
    expect(!of.heard().is_open(), "another call's message was heard, or one about no view");
    co_await send_pattern(net, 1, tag_of(2, 9), 2, 1);
    if (early) {
        co_await recv_marks(net, 1, 3);
        watch later(net, view_tag(5));
        expect(later.heard().is_open(), "a message that was here was not heard");
    }
    co_await of.heard().opened();
    co_await recv_pattern(net, 1, view_tag(5, kind), 3, 100);
    if (!early) {
        co_await recv_marks(net, 1, 3);
    }
    co_await recv_pattern(net, 1, view_tag(5, message_kind::vote), 2, 100);
    co_await recv_pattern(net, 1, view_tag(6), 1, 100);
}

inline void hears_of_views(const cluster_maker& make)
{
    const auto cluster = make(2);
    for (const auto kind : {message_kind::view, message_kind::answer})
        for (const bool early : {false, true})
            cluster->run([&](any_transport& net) { return hear_of_views(net, kind, early); });
}

inline void hears_of_views_that_wait(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        loop& on = co_await this_loop{};
        started sends(on);
        if (net.rank() == 1) {
            co_await send_too_many(net, sends, sent);
            sends.add(send_pattern(net, 0, view_tag(5), 3, 100'000));
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        watch of(net, view_tag(5));
        co_await of.heard().opened();
        co_await recv_pattern(net, 1, view_tag(5), 3, 100'000);
        co_await recv_marks(net, 1, 2);
        co_await recv_too_many(net, 1);
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

/// Peer 1 asks twice about the call, which has ended at peer 0, and is answered once. What it had
/// sent in view 0 is still there.
inline task<> answer_a_peer(any_transport& net, std::size_t size, std::uint32_t call, bool early)
{
    if (net.rank() == 1) {
        if (!early) {
            co_await recv_pattern(net, 0, tag_of(1, 9), 1, 1);
        }
        co_await send_pattern(net, 0, view_tag(call, message_kind::vote), 1, 40);
        co_await send_pattern(net, 0, view_tag(call, message_kind::result, 0, 1), 2, 100);
        co_await send_pattern(net, 0, view_tag(call), 3, 1000);
        co_await send_marks(net, 0, 2);
        co_await recv_pattern(net, 0, view_tag(call, message_kind::answer), 4, size);
        co_await send_pattern(net, 0, view_tag(call, message_kind::view, 1), 5, 1000);
        co_await send_marks(net, 0, 3);
        co_await recv_marks(net, 0, 2);
        co_await expect_nothing(net, 0, view_tag(call, message_kind::answer),
                                "a peer was answered twice");
        co_return;
    }
    if (early) {
        co_await recv_marks(net, 1, 2);
    }
    net.leave_answer(view_tag(call, message_kind::contribution), pattern(4, size));
    if (!early) {
        co_await send_pattern(net, 1, tag_of(1, 9), 1, 1);
        co_await recv_marks(net, 1, 2);
    }
    co_await recv_marks(net, 1, 3);
    co_await send_marks(net, 1, 2);
    co_await expect_nothing(net, 1, view_tag(call), "what asked about a past call was kept");
    co_await expect_nothing(net, 1, view_tag(call, message_kind::result, 0, 1),
                            "a message of a past call's later view was kept");
    co_await recv_pattern(net, 1, view_tag(call, message_kind::vote), 1, 40);
}

inline void answers_after_calls(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::uint32_t call = 10;
    for (const std::size_t size : {std::size_t{20}, std::size_t{100'000}})
        for (const bool early : {false, true}) {
            ++call;
            cluster->run([&](any_transport& net) { return answer_a_peer(net, size, call, early); });
        }
}

inline void answers_what_waits(const cluster_maker& make)
{
    const auto cluster = make(2);
    std::atomic<std::uint32_t> sent = 0;
    cluster->run([&](any_transport& net) -> task<> {
        loop& on = co_await this_loop{};
        started sends(on);
        if (net.rank() == 1) {
            co_await send_too_many(net, sends, sent);
            std::vector<task<>> both;  // it need not go
            both.push_back(send_pattern(net, 0, view_tag(5), 3, 100'000));
            both.push_back(recv_pattern(net, 0, view_tag(5, message_kind::answer), 4, 20));
            co_await when_all(std::move(both));
            co_await send_pattern(net, 0, tag_of(8, 3), 8, 1);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        net.leave_answer(view_tag(5), pattern(4, 20));
        co_await recv_pattern(net, 1, tag_of(8, 3), 8, 1);
        co_await recv_too_many(net, 1);
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

inline void keeps_answers_of_past_calls(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        if (net.rank() == 1) {
            co_await send_pattern(net, 0, view_tag(5, message_kind::answer), 3, 100);
            net.discard_call(view_tag(5));
            co_await send_marks(net, 0, 2);
            co_await recv_pattern(net, 0, tag_of(9, 3), 9, 1);
            co_return;
        }
        co_await recv_marks(net, 1, 2);
        co_await turns(10);
        co_await recv_pattern(net, 1, view_tag(5, message_kind::answer), 3, 100);
        co_await send_pattern(net, 1, tag_of(9, 3), 9, 1);
    });
}

}  // namespace papilio::test::contract
