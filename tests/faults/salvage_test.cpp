// Calls that go on without peers that are lost while they run.

#include <papilio/async/timeout.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/collective/broadcast.hpp>
#include <papilio/collective/reduce_scatter.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/sim/world.hpp>

#include "faults/salvaged_call.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::errc;
using papilio::report;
using papilio::role;
using papilio::task;
using papilio::test::call_end;
using papilio::test::kill;
using papilio::test::salvaged_call;

namespace {

salvaged_call::program sum_in_place(papilio::call_options options)
{
    options.salvage = true;
    return [options](salvaged_call::net& net, std::vector<float>& data) -> task<report> {
        return papilio::all_reduce_in_place(net, std::span(data), papilio::sum{},
                                            papilio::identity{}, options);
    };
}

/// The sum of the values of those who are in a range.
float value_of(const papilio::contributions& range)
{
    float sum = 0;
    for (const auto& c : range.from) sum += static_cast<float>(1 << c.rank);
    return sum;
}

/// Whether a result is what its report says, and covers all.
bool is_as_reported(const call_end& o)
{
    std::size_t next = 0;
    for (const auto& made : o.done->made_of) {
        if (made.range.begin != next) return false;
        const auto elements = std::span(o.data).subspan(made.range.begin, made.range.size);
        const float value = value_of(made);
        if (!std::ranges::all_of(elements, [&](float x) { return x == value; })) return false;
        next += made.range.size;
    }
    return next == o.data.size();
}

bool has(const papilio::contributions& range, int rank)
{
    return std::ranges::count(range.from, rank, &papilio::contributor::rank) > 0;
}

void check_survivors(const std::vector<call_end>& outcomes, const std::vector<int>& lost)
{
    const call_end* first = nullptr;
    for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
        if (std::ranges::count(lost, static_cast<int>(rank)) > 0) continue;
        const auto& o = outcomes[rank];
        INFO("peer " << rank << ": " << o.why.message());
        REQUIRE(o.done);
        CHECK(is_as_reported(o));
        if (!first) first = &o;
        CHECK(o.data == first->data);
        CHECK(o.done->made_of == first->done->made_of);
        CHECK(o.done->view == first->done->view);
    }
}

}  // namespace

TEST_CASE("the others finish a call in which one of four dies, whenever that is")
{
    bool all = false, some = false, none = false;
    for (int ms = 0; ms <= 70; ms += 2) {
        INFO(ms << " ms");
        salvaged_call call(4);
        kill(call, 2, std::chrono::milliseconds(ms));
        const auto& outcomes = call.run(50'000, sum_in_place({.chunk_bytes = 8192}));
        check_survivors(outcomes, {2});
        const auto& done = *outcomes[0].done;
        if (done.view == 0) continue;
        CHECK(done.left == std::vector<papilio::departure>{{2, errc::disconnected}});
        all |= done.made_again == 50'000;
        some |= done.made_again > 0 && done.made_again < 50'000;
        none |= done.made_again == 0;
    }
    CHECK((all && some && none));
}

TEST_CASE("who dies in a call is in what was reduced with it, and in nothing else")
{
    salvaged_call call(4);
    kill(call, 2, 20ms);
    const auto& outcomes = call.run(50'000, sum_in_place({.chunk_bytes = 8192}));
    check_survivors(outcomes, {2});
    const auto& made = outcomes[0].done->made_of;
    CHECK(std::ranges::any_of(made, [](const auto& range) { return has(range, 2); }));
    CHECK(std::ranges::any_of(made, [](const auto& range) { return !has(range, 2); }));
}

TEST_CASE("with uniform all of the result is of the same peers")
{
    for (int ms = 10; ms <= 60; ms += 10) {
        INFO(ms << " ms");
        salvaged_call call(4);
        kill(call, 2, std::chrono::milliseconds(ms));
        const auto& outcomes =
            call.run(50'000, sum_in_place({.uniform = true, .chunk_bytes = 8192}));
        check_survivors(outcomes, {2});
        CHECK(outcomes[0].done->made_of.size() == 1);
    }
}

TEST_CASE("a call of little data goes on, too")
{
    for (int ms = 0; ms <= 25; ++ms) {
        INFO(ms << " ms");
        salvaged_call call(5);
        kill(call, 0, std::chrono::milliseconds(ms));
        check_survivors(call.run(100, sum_in_place({})), {0});
    }
}

TEST_CASE("a call in stages goes on, too")
{
    for (int ms = 0; ms <= 90; ms += 5) {
        INFO(ms << " ms");
        salvaged_call call(6);
        kill(call, 4, std::chrono::milliseconds(ms));
        const auto& outcomes =
            call.run(20'000, sum_in_place({.radix = {2, 3}, .chunk_bytes = 8192}));
        check_survivors(outcomes, {4});
    }
}

TEST_CASE("in stages a block that is lost does not take with it what its peers weigh")
{
    for (int ms = 10; ms <= 80; ms += 2) {
        INFO(ms << " ms");
        salvaged_call call(6);
        for (const int peer : {2, 3}) kill(call, peer, std::chrono::milliseconds(ms));
        check_survivors(call.run(6000, sum_in_place({.radix = {2, 3}})), {2, 3});
    }
}

TEST_CASE("who reduces everything does not take with it what only it has been told")
{
    const double only_mine[] = {1, 0, 0, 0};
    bool kept = false;
    for (int ms = 240; ms <= 520; ms += 20) {
        INFO(ms << " ms");
        salvaged_call call(4);
        kill(call, 0, std::chrono::milliseconds(ms));
        const auto& outcomes =
            call.run(250'000, sum_in_place({.shares = only_mine, .chunk_bytes = 1u << 20}));
        check_survivors(outcomes, {0});
        kept |= outcomes[1].done->view > 0 && outcomes[1].done->made_again == 0;
    }
    CHECK(kept);
}

TEST_CASE("two of five may die, at once or one after the other")
{
    for (const auto later : {0ms, 3ms, 15ms, 40ms}) {
        INFO(later.count() << " ms");
        salvaged_call call(5);
        kill(call, 1, 20ms);
        kill(call, 3, 20ms + later);
        check_survivors(call.run(40'000, sum_in_place({.chunk_bytes = 8192})), {1, 3});
    }
}

TEST_CASE("half of the peers do not go on, and what they gave is as it was")
{
    salvaged_call call(4);
    kill(call, 1, 10ms);
    kill(call, 3, 10ms);
    const auto& outcomes = call.run(40'000, sum_in_place({.timeout = 5s}));
    for (const std::size_t rank : {0, 2}) {
        const auto& o = outcomes[rank];
        CHECK_FALSE(o.done);
        CHECK(o.why == errc::peer_failed);
        CHECK(o.took < 5s);
        CHECK(o.data == std::vector<float>(40'000, static_cast<float>(1 << rank)));
    }
}

TEST_CASE("fewer than min_peers do not go on")
{
    salvaged_call call(5);
    kill(call, 1, 10ms);
    const auto& outcomes = call.run(10'000, sum_in_place({.timeout = 5s, .min_peers = 5}));
    for (const std::size_t rank : {0, 2, 3, 4}) CHECK_FALSE(outcomes[rank].done);
}

TEST_CASE("without salvage a peer that dies fails the call for all")
{
    salvaged_call call(4);
    kill(call, 2, 10ms);
    const auto& outcomes =
        call.run(40'000, [](auto& net, std::vector<float>& data) -> task<report> {
            return papilio::all_reduce_in_place(net, std::span(data), papilio::sum{});
        });
    for (const std::size_t rank : {0, 1, 3}) CHECK(outcomes[rank].culprit == 2);
}

TEST_CASE("a peer that is silent is left behind when the call's time is nearly up")
{
    salvaged_call call(4);
    call.at(15ms, [](papilio::sim::world& w) { w.silence(2); });
    const auto& outcomes = call.run(50'000, sum_in_place({.timeout = 4s, .chunk_bytes = 8192}));
    check_survivors(outcomes, {2});
    for (const std::size_t rank : {0, 1, 3}) CHECK(outcomes[rank].took < 4s);
}

TEST_CASE("who is late is waited for as long as there is time")
{
    salvaged_call call(4);
    call.late(1, 2s);
    const auto& outcomes = call.run(10'000, sum_in_place({.timeout = 4s}));
    check_survivors(outcomes, {});
    CHECK(outcomes[0].done->view == 0);
}

TEST_CASE("who is too late finds that the others have ended without it, and fails at once")
{
    salvaged_call call(4);
    call.late(1, 20s);
    const auto& outcomes = call.run(10'000, sum_in_place({.timeout = 4s}));
    check_survivors(outcomes, {1});
    CHECK(outcomes[1].why == errc::left_out);
    CHECK(outcomes[1].took < 1s);
    CHECK(outcomes[1].data == std::vector<float>(10'000, 2.f));
}

TEST_CASE("who cannot go on by its own fault is left behind, for the reason that it gives")
{
    salvaged_call call(4);
    const auto& outcomes =
        call.run(10'000, [](auto& net, std::vector<float>& data) -> task<report> {
            if (net.rank() == 3) data[4'321] = std::numeric_limits<float>::quiet_NaN();
            return papilio::all_reduce_in_place(net, std::span(data), papilio::sum{},
                                                papilio::int8b{},
                                                {.salvage = true, .chunk_bytes = 4096});
        });
    CHECK(outcomes[3].why == errc::not_finite);
    for (const std::size_t rank : {0, 1, 2}) {
        INFO(rank << ": " << outcomes[rank].why.message());
        REQUIRE(outcomes[rank].done);
        CHECK(outcomes[rank].data == outcomes[0].data);
        CHECK(outcomes[rank].done->left == std::vector<papilio::departure>{{3, errc::not_finite}});
    }
}

TEST_CASE("peers that disagree about the call all fail, and say so")
{
    salvaged_call call(4);
    const auto& outcomes =
        call.run(10'000, [](auto& net, std::vector<float>& data) -> task<report> {
            const auto size = data.size() - (net.rank() == 3 ? 1u : 0u);
            return papilio::all_reduce_in_place(net, std::span(data).first(size), papilio::sum{},
                                                papilio::identity{}, {.salvage = true});
        });
    for (const auto& o : outcomes) CHECK(o.why == errc::mismatch);
}

TEST_CASE("a call with salvage and one without do not mix")
{
    salvaged_call call(3);
    const auto& outcomes =
        call.run(10'000, [](auto& net, std::vector<float>& data) -> task<report> {
            return papilio::all_reduce_in_place(net, std::span(data), papilio::sum{},
                                                papilio::identity{}, {.salvage = net.rank() > 0});
        });
    for (const auto& o : outcomes) CHECK(o.why == errc::mismatch);
}

TEST_CASE("a reduce_scatter goes on: each peer that is left has its part")
{
    for (int ms = 0; ms <= 40; ms += 4) {
        INFO(ms << " ms");
        salvaged_call call(4);
        kill(call, 1, std::chrono::milliseconds(ms));
        const auto& outcomes =
            call.run(40'000, [](auto& net, std::vector<float>& data) -> task<report> {
                const auto in = std::make_unique<std::vector<float>>(data);
                data.resize(10'000);
                task<report> work = papilio::reduce_scatter(
                    net, std::span<const float>(*in), std::span(data), papilio::sum{},
                    papilio::identity{}, {.salvage = true, .chunk_bytes = 8192});
                co_return co_await std::move(work);
            });
        for (const std::size_t rank : {0, 2, 3}) {
            const auto& o = outcomes[rank];
            INFO(rank << ": " << o.why.message());
            REQUIRE(o.done);
            std::size_t right = 0;
            for (const auto& made : o.done->made_of)
                for (std::size_t i = 0; i < made.range.size; ++i) {
                    const auto at = made.range.begin + i;
                    if (at / 10'000 == rank) right += o.data[at % 10'000] == value_of(made);
                }
            CHECK(right == 10'000);
        }
    }
}

TEST_CASE("a broadcast goes on without one that only receives, and ends without its root")
{
    for (const int victim : {0, 2}) {
        INFO("peer " << victim << " dies");
        salvaged_call call(4);
        kill(call, victim, 2ms);
        const auto& outcomes =
            call.run(50'000, [](auto& net, std::vector<float>& data) -> task<report> {
                return papilio::broadcast(net, std::span(data), 0, papilio::identity{},
                                          {.timeout = 10s, .salvage = true});
            });
        for (const std::size_t rank : {1, 3}) {
            INFO(rank << ": " << outcomes[rank].why.message());
            CHECK(outcomes[rank].done.has_value() == (victim == 2));
            CHECK(outcomes[rank].data[49'999] ==
                  (victim == 2 ? 1.f : static_cast<float>(1 << rank)));
        }
    }
}

TEST_CASE("a barrier goes on: all who are left know who they are")
{
    salvaged_call call(5);
    call.late(1, 5ms);
    kill(call, 1, 2ms);
    const auto& outcomes = call.run(0, [](auto& net, std::vector<float>&) -> task<report> {
        return papilio::barrier(net, {.salvage = true});
    });
    for (const std::size_t rank : {0, 2, 3, 4}) {
        INFO(rank << ": " << outcomes[rank].why.message());
        REQUIRE(outcomes[rank].done);
        REQUIRE(outcomes[rank].done->left.size() == 1);
        CHECK(outcomes[rank].done->left.front().rank == 1);
    }
}

TEST_CASE("what cannot go on is refused")
{
    salvaged_call call(3);
    const auto& outcomes = call.run(9, [](auto& net, std::vector<float>& data) -> task<report> {
        return papilio::all_reduce_in_place(
            net, std::span(data), papilio::sum{}, papilio::identity{},
            {.salvage = true, .on_error = papilio::on_error::undefined});
    });
    for (const auto& o : outcomes) CHECK(o.why == errc::bad_argument);
}

TEST_CASE("a call that is dropped in a later view is over for the others, who go on")
{
    for (int ms = 15; ms <= 45; ms += 3) {
        INFO(ms << " ms");
        salvaged_call call(5);
        kill(call, 2, 12ms);
        const auto& outcomes =
            call.run(50'000, [ms](auto& net, std::vector<float>& data) -> task<report> {
                task<report> work = papilio::all_reduce_in_place(
                    net, std::span(data), papilio::sum{}, papilio::identity{},
                    {.salvage = true, .chunk_bytes = 8192});
                if (net.rank() == 4) {
                    const auto when = papilio::time_point{} + std::chrono::milliseconds(ms);
                    co_return co_await papilio::timeout(std::move(work), when);
                }
                co_return co_await std::move(work);
            });
        check_survivors(outcomes, {2, 4});
        const auto& dropped = outcomes[4];
        CHECK(dropped.why == errc::timed_out);
        CHECK(dropped.data == std::vector<float>(50'000, 16.f));
    }
}

TEST_CASE("a peer that stops while data moves is left behind long before the call's time is up")
{
    salvaged_call call(4, {.all = {.up_bytes_per_second = 2.5e6, .down_bytes_per_second = 2.5e6}});
    call.at(600ms, [](papilio::sim::world& w) { w.silence(2); });
    const auto& outcomes = call.run(500'000, sum_in_place({.timeout = 60s, .chunk_bytes = 32768}));
    check_survivors(outcomes, {2});
    for (const std::size_t rank : {0, 1, 3}) CHECK(outcomes[rank].took < 6s);
    REQUIRE(outcomes[0].done->left.size() == 1);
    CHECK(outcomes[0].done->left.front().rank == 2);
}
