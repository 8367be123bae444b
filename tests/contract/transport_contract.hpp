#pragma once

// What every transport keeps, as a table of rules. Each is written against `any_transport`, so that
// it is compiled once, and makes the clusters it needs:
//
//     for (const auto& rule : transport_contract())
//         DYNAMIC_SECTION(rule.sentence) { rule.check(cluster_of<sim_cluster>()); }

#include "contract/any_cluster.hpp"
#include "contract/flow_rules.hpp"
#include "contract/view_rules.hpp"

#include <vector>

namespace papilio::test {

struct transport_rule {
    const char* sentence;
    void (*check)(const cluster_maker& make);
};

const std::vector<transport_rule>& transport_contract();

namespace contract {

inline void knows_ranks(const cluster_maker& make)
{
    const auto cluster = make(3);
    std::vector<int> seen(3);
    cluster->run([&](any_transport& net) -> task<> {
        expect(net.size() == 3, "size() is not 3");
        seen.at(static_cast<std::size_t>(net.rank())) = 1;
        co_return;
    });
    expect(seen == std::vector{1, 1, 1}, "ranks are not 0, 1, 2");
}

inline void numbers_calls(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        for (std::uint32_t n = 1; n <= 3; ++n)
            expect(net.calls() && net.calls()->next() == n, "calls are not numbered 1, 2, 3");
        co_return;
    });
}

inline void posts_in_the_background(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        const int other = 1 - net.rank();
        {
            std::vector<std::byte> message(40, std::byte{3});
            expect(net.post(other, tag{5}, message), "a message was not posted");
            message.assign(40, std::byte{4});  // it keeps a copy
        }
        std::vector<std::byte> into(50);
        const auto size = co_await net.recv(other, tag{5}, into);
        into.resize(size);
        expect(into == std::vector<std::byte>(40, std::byte{3}),
               "what was posted is not what came");
    });
}

inline void carries_every_size(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        const int other = 1 - net.rank();
        std::vector<task<>> both;
        std::uint32_t i = 0;
        for (const auto size : sizes) {  // half the receives are posted before the sends
            const auto out = send_pattern;
            both.push_back(
                out(net, other, tag_of(i), i + static_cast<std::uint64_t>(net.rank()), size));
            both.push_back(
                recv_pattern(net, other, tag_of(i), i + static_cast<std::uint64_t>(other), size));
            if (net.rank() == 0) std::swap(both[both.size() - 1], both[both.size() - 2]);
            ++i;
        }
        co_await when_all(std::move(both));
    });
}

inline void keeps_order(const cluster_maker& make)
{
    constexpr std::uint64_t count = 200;
    const auto size = [](std::uint64_t i) { return std::size_t{(i * 7919) % 30'000}; };
    const auto cluster = make(2);
    cluster->run([&](any_transport& net) -> task<> {
        for (std::uint64_t i = 0; i < count; ++i) {
            if (net.rank() == 1)
                co_await send_pattern(net, 0, tag_of(3), i, size(i));
            else
                co_await recv_pattern(net, 1, tag_of(3), i, size(i));
        }
    });
}

inline void serves_receives_in_order(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        std::vector<task<>> receives;
        for (std::uint64_t i = 0; i < 20; ++i) {
            if (net.rank() == 1)
                co_await send_pattern(net, 0, tag_of(3), i, 100 * i);
            else
                receives.push_back(recv_pattern(net, 1, tag_of(3), i, 100 * i));
        }
        co_await when_all(std::move(receives));
    });
}

inline void takes_sends_at_once(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        std::vector<task<>> all;
        for (std::uint32_t i = 0; i < 40; ++i) {
            const std::size_t size = i % 4 == 0 ? 700'000 + i : i;
            // Two under each tag, in order, and tags side by side.
            if (net.rank() == 1)
                all.push_back(send_pattern(net, 0, tag_of(i / 2), i, size));
            else
                all.push_back(recv_pattern(net, 1, tag_of(i / 2), i, size));
        }
        co_await when_all(std::move(all));
    });
}

inline void keeps_early_messages(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        constexpr std::uint32_t count = 50;
        if (net.rank() == 1) {
            for (std::uint32_t i = 0; i < count; ++i) {
                co_await send_pattern(net, 0, tag_of(i), i, 1000 * i);
            }
            co_await send_marks(net, 0, 2);
            co_return;
        }
        co_await recv_marks(net, 1, 2);  // by now all are early
        for (std::uint32_t i = count; i-- > 0;) {
            co_await recv_pattern(net, 1, tag_of(i), i, 1000 * i);
        }
    });
}

inline void lets_tags_overtake(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        if (net.rank() == 1) {
            co_await send_pattern(net, 0, tag_of(1), 1, 5000);
            co_await send_pattern(net, 0, tag_of(2), 2, 5000);
            co_await recv_pattern(net, 0, tag_of(3), 3, 1);
        } else {
            co_await recv_pattern(net, 1, tag_of(2), 2, 5000);
            co_await send_pattern(net, 1, tag_of(3), 3, 1);
            co_await recv_pattern(net, 1, tag_of(1), 1, 5000);
        }
    });
}

inline void tells_peers_apart(const cluster_maker& make)
{
    const auto cluster = make(5);
    cluster->run([](any_transport& net) -> task<> {
        std::vector<task<>> all;
        const auto seed = [](int from, int to) {
            return static_cast<std::uint64_t>(10 * from + to);
        };
        for (int peer = 0; peer < net.size(); ++peer) {
            if (peer == net.rank()) continue;
            all.push_back(recv_pattern(net, peer, tag_of(1), seed(peer, net.rank()), 3000));
            all.push_back(send_pattern(net, peer, tag_of(1), seed(net.rank(), peer), 3000));
        }
        co_await when_all(std::move(all));
    });
}

inline void refuses_large_messages(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        for (const std::size_t size : {std::size_t{100}, std::size_t{50'000}, large}) {
            for (const bool early : {false, true}) {
                if (net.rank() == 1) {
                    if (!early) {
                        co_await recv_pattern(net, 0, tag_of(9), 9, 1);
                    }
                    co_await send_pattern(net, 0, tag_of(1), 1, size);
                    co_await send_pattern(net, 0, tag_of(1), 2, size);
                    co_await send_marks(net, 0, 2);
                    continue;
                }
                std::vector<task<>> all;
                if (early) {
                    co_await recv_marks(net, 1, 2);
                }
                all.push_back(recv_failure(net, 1, tag_of(1), size - 1, errc::too_large));
                if (!early) {
                    all.push_back(send_pattern(net, 1, tag_of(9), 9, 1));
                    all.push_back(recv_marks(net, 1, 2));
                }
                co_await when_all(std::move(all));
                co_await recv_pattern(net, 1, tag_of(1), 2, size);
            }
        }
    });
}

inline void notices_a_loss(const cluster_maker& make)
{
    const auto cluster = make(3);
    cluster->run([&](any_transport& net) -> task<> {
        if (net.rank() == 2) {  // dies as soon as what it sent has come
            for (const int peer : {0, 1}) {
                co_await send_pattern(net, peer, tag_of(1), 1, 5000);
                co_await send_pattern(net, peer, tag_of(2), 2, 0);
                co_await send_marks(net, peer, 2);
                co_await recv_pattern(net, peer, tag_of(3), 3, 1);
            }
            cluster->lose(2);
            co_return;
        }
        co_await recv_marks(net, 2, 2);
        co_await send_pattern(net, 2, tag_of(3), 3, 1);
        co_await recv_failure(net, 2, tag_of(9), 10, errc::disconnected);
        co_await recv_pattern(net, 2, tag_of(1), 1, 5000);
        co_await recv_failure(net, 2, tag_of(9), 10, errc::disconnected);
        co_await recv_pattern(net, 2, tag_of(2), 2, 0);
        // The others do not mind.
        co_await send_pattern(net, 1 - net.rank(), tag_of(4), 4, 100);
        co_await recv_pattern(net, 1 - net.rank(), tag_of(4), 4, 100);
    });
}

inline void notices_a_loss_in_every_wait(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([&](any_transport& net) -> task<> {
        if (net.rank() == 1) {
            co_await recv_pattern(net, 0, tag_of(1), 1, 1);
            cluster->lose(1);
            co_return;
        }
        std::vector<task<>> all;
        for (std::uint32_t i = 0; i < 20; ++i)
            all.push_back(recv_failure(net, 1, tag_of(i % 5), 10, errc::disconnected));
        all.push_back(send_pattern(net, 1, tag_of(1), 1, 1));
        co_await when_all(std::move(all));
    });
}

/// Starts to receive a first message, gives up after some turns of the loop, and takes the second,
/// before which the first may come, if it does, but whole.
inline task<> drop_a_receive(any_transport& net, const std::vector<std::byte>* messages, int after)
{
    loop& on = co_await this_loop{};
    std::vector<std::byte> into(messages[0].size());
    {
        task<std::size_t> first = net.recv(1, tag_of(1), into);
        first.start(on);
        co_await send_pattern(net, 1, tag_of(9), 9, 1);
        co_await turns(after);
    }
    co_await net.recv(1, tag_of(1), into);
    if (into == messages[0]) {
        co_await net.recv(1, tag_of(1), into);
    }
    expect(into == messages[1], "after a dropped receive a message was harmed");
    co_await recv_pattern(net, 1, tag_of(2), 3, 50);
}

inline void survives_dropped_receives(const cluster_maker& make)
{
    const auto cluster = make(2);
    for (const std::size_t size : {std::size_t{100}, std::size_t{2} << 20}) {
        const std::vector<std::byte> messages[] = {pattern(1, size), pattern(2, size)};
        cluster->run([&](any_transport& net) -> task<> {
            for (const int after : {0, 1, 5, 50, 100, 400}) {
                if (net.rank() == 0) {
                    co_await drop_a_receive(net, messages, after);
                    continue;
                }
                co_await recv_pattern(net, 0, tag_of(9), 9, 1);
                for (const auto& m : messages) {
                    co_await net.send(0, tag_of(1), m);
                }
                co_await send_pattern(net, 0, tag_of(2), 3, 50);
            }
        });
    }
}

/// Starts two sends, gives up both after some turns of the loop, and sends a third, which alone is
/// sure to arrive.
inline task<> drop_sends(any_transport& net, const std::vector<std::byte>* messages, int after)
{
    loop& on = co_await this_loop{};
    {
        const auto dies_first = std::make_unique<std::vector<std::byte>>(messages[0]);
        task<> a = net.send(1, tag_of(1), *dies_first);
        task<> b = net.send(1, tag_of(1), messages[1]);
        a.start(on);
        b.start(on);
        co_await turns(after);
    }
    co_await net.send(1, tag_of(1), messages[2]);
}

inline void survives_dropped_sends(const cluster_maker& make)
{
    const auto cluster = make(2);
    for (const std::size_t size : {std::size_t{100}, std::size_t{6} << 20}) {
        const std::vector<std::byte> messages[] = {pattern(1, size), pattern(2, size),
                                                   pattern(3, size)};
        cluster->run([&](any_transport& net) -> task<> {
            std::vector<std::byte> into(size);
            for (const int after : {0, 100, 1000}) {
                if (net.rank() == 0) {
                    co_await drop_sends(net, messages, after);
                    co_await recv_pattern(net, 1, tag_of(9), 9, 1);
                    continue;
                }
                for (int next = 0; next < 3; ++next) {
                    co_await net.recv(0, tag_of(1), into);
                    while (next < 3 && into != messages[next]) ++next;
                    expect(next < 3, "half a message came, or one out of order");
                }
                co_await send_pattern(net, 0, tag_of(9), 9, 1);
            }
        });
    }
}

inline void discards_calls(const cluster_maker& make)
{
    const auto cluster = make(2);
    cluster->run([](any_transport& net) -> task<> {
        if (net.rank() == 1) {
            for (const bool late : {false, true}) {
                if (late) {
                    co_await recv_pattern(net, 0, tag_of(9, 9), 9, 1);
                }
                co_await send_pattern(net, 0, tag_of(1, 5), 1, 100'000);
                co_await send_pattern(net, 0, tag_of(2, 5), 2, 10);
                co_await send_pattern(net, 0, tag_of(1, 6), 3, 10);
                co_await send_marks(net, 0, 2);
            }
            co_return;
        }
        loop& on = co_await this_loop{};
        for (const bool late : {false, true}) {
            if (late) {
                co_await send_pattern(net, 1, tag_of(9, 9), 9, 1);
            }
            co_await recv_marks(net, 1, 2);
            net.discard_call(tag_of(7, 5));  // any tag of the call will do
            for (const std::uint32_t index : {1u, 2u}) {
                std::vector<std::byte> into(100'000);
                task<std::size_t> receive = net.recv(1, tag_of(index, 5), into);
                receive.start(on);
                co_await turns(10);
                expect(!receive.finished(), "a discarded call's message was kept");
            }
            co_await recv_pattern(net, 1, tag_of(1, 6), 3, 10);
        }
    });
}

}  // namespace contract

inline const std::vector<transport_rule>& transport_contract()
{
    using namespace contract;
    static const std::vector<transport_rule> rules = {
        {"peers know their ranks and how many they are", knows_ranks},
        {"calls are numbered 1, 2, 3", numbers_calls},
        {"what is posted arrives while its sender does something else", posts_in_the_background},
        {"messages of every size arrive whole", carries_every_size},
        {"messages under one tag arrive in the order they were sent", keeps_order},
        {"receives under one tag are served in the order they were posted",
         serves_receives_in_order},
        {"several sends at once to one peer arrive whole", takes_sends_at_once},
        {"messages may arrive before anybody asks for them", keeps_early_messages},
        {"a message may be taken before an earlier one under another tag", lets_tags_overtake},
        {"messages of different peers under one tag are told apart", tells_peers_apart},
        {"a message too large for its receive fails it and harms no other", refuses_large_messages},
        {"a peer's loss fails receives, but what has arrived can be taken", notices_a_loss},
        {"a peer's loss fails every receive that waits for it", notices_a_loss_in_every_wait},
        {"a dropped receive leaves later messages intact", survives_dropped_receives},
        {"a dropped send leaves the stream whole", survives_dropped_sends},
        {"early messages beyond the limit wait, and come in any order", lets_messages_wait},
        {"messages under one tag stay in order beyond the limit", keeps_order_beyond_the_limit},
        {"a message whose send is dropped while it waits does not come", withdraws_dropped_sends},
        {"a message that was asked for comes though its receive is dropped",
         keeps_what_was_asked_for},
        {"a message that waits, and is too large for its receive, fails it and harms no other",
         refuses_large_messages_that_wait},
        {"a send ends when its receiver discards the call", declines_discarded_calls},
        {"a peer's loss ends every send that waits for it", ends_waiting_sends},
        {"the messages of a discarded call are dropped, now and later", discards_calls},
        {"a call hears of a message about its views that no receive waits for", hears_of_views},
        {"a call hears of a message about its views that waits at its sender",
         hears_of_views_that_wait},
        {"who asks about a call that has ended is answered once", answers_after_calls},
        {"who asks by a message that waits is answered, and the message need not go",
         answers_what_waits},
        {"an answer can be taken though its sender has discarded the call",
         keeps_answers_of_past_calls},
    };
    return rules;
}

}  // namespace papilio::test
