// All_gathers that go on without peers that are lost while they run.

#include <papilio/collective/all_gather.hpp>

#include <papilio/codec/int8b.hpp>

#include "faults/salvaged_call.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <vector>

using namespace std::chrono_literals;
using papilio::errc;
using papilio::report;
using papilio::task;
using papilio::test::call_end;
using papilio::test::kill;
using papilio::test::salvaged_call;

namespace {

/// Gathers parts of the values that `salvaged_call` gives.
template <class Codec = papilio::identity>
salvaged_call::program gather(papilio::call_options options, Codec codec = {})
{
    options.salvage = true;
    return [=](salvaged_call::net& net, std::vector<float>& data) -> task<report> {
        const auto mine = data.size() / static_cast<std::size_t>(net.size());
        const auto in = std::make_unique<std::vector<float>>(mine, data[0]);
        task<report> work =
            papilio::all_gather(net, std::span<const float>(*in), std::span(data), codec, options);
        co_return co_await std::move(work);
    };
}

/// Whose parts are in the result of those who are left, which is the same for all of them, and what
/// they report. Parts of those who are left are there; each is one range, of its owner's values.
std::set<int> parts_in(const std::vector<call_end>& outcomes, const std::set<int>& lost)
{
    std::set<int> found;
    const call_end* first = nullptr;
    for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
        if (lost.contains(static_cast<int>(rank))) continue;
        const auto& o = outcomes[rank];
        INFO("peer " << rank << ": " << o.why.message());
        REQUIRE(o.done);
        if (!first) first = &o;
        CHECK(o.done->made_of == first->done->made_of);
        CHECK(o.done->view == first->done->view);
        CHECK(o.done->made_again == 0);
        const auto size = o.data.size() / outcomes.size();
        for (const auto& made : o.done->made_of) {
            REQUIRE(made.from.size() == 1);
            const int owner = made.from[0].rank;
            CHECK(made.range == papilio::part{static_cast<std::size_t>(owner) * size, size});
            const auto part = std::span(o.data).subspan(made.range.begin, size);
            const auto value = static_cast<float>(1 << owner);
            const auto wrong = [&](float x) { return std::abs(x - value) > value / 100; };
            CHECK(std::ranges::none_of(part, wrong));
            CHECK(std::ranges::equal(part, std::span(first->data).subspan(made.range.begin, size)));
            found.insert(owner);
        }
        CHECK(found.contains(static_cast<int>(rank)));
    }
    return found;
}

}  // namespace

TEST_CASE("of a peer that dies in an all_gather all has its part, or nobody")
{
    bool with = false, without = false;
    for (int ms = 0; ms <= 70; ms += 2) {
        INFO(ms << " ms");
        salvaged_call call(4);
        kill(call, 2, std::chrono::milliseconds(ms));
        const auto& outcomes = call.run(40'000, gather({.chunk_bytes = 8192}));
        const auto parts = parts_in(outcomes, {2});
        const auto& done = *outcomes[0].done;
        if (done.view == 0) continue;
        CHECK(done.left == std::vector<papilio::departure>{{2, errc::disconnected}});
        (parts.contains(2) ? with : without) = true;
    }
    CHECK(with);
    CHECK(without);
}

TEST_CASE("an all_gather by a codec and in stages goes on, too")
{
    bool with = false, without = false;
    for (int ms = 0; ms <= 60; ms += 3) {
        INFO(ms << " ms");
        salvaged_call call(6);
        kill(call, 4, std::chrono::milliseconds(ms));
        const auto& outcomes =
            call.run(24'000, gather({.radix = {2, 3}, .chunk_bytes = 2048}, papilio::int8b{}));
        const auto parts = parts_in(outcomes, {4});
        if (outcomes[0].done->view > 0) (parts.contains(4) ? with : without) = true;
    }
    CHECK(with);
    CHECK(without);
}

TEST_CASE("two of five may die in an all_gather, at once or one after the other")
{
    for (const auto later : {0ms, 3ms, 15ms, 40ms}) {
        INFO(later.count() << " ms");
        salvaged_call call(5);
        kill(call, 1, 12ms);
        kill(call, 3, 12ms + later);
        parts_in(call.run(40'000, gather({.chunk_bytes = 2048})), {1, 3});
    }
}

TEST_CASE(
    "what others lack of a part its owner has, however early the call has left its first view")
{
    // One chunk at a time: nobody encodes all of its part at once.
    const auto gathers = gather({.chunk_bytes = 4096, .in_flight = 1}, papilio::int8b{});
    for (int us = 0; us <= 12'000; us += 400) {
        INFO(us << " us");
        salvaged_call call(4);
        call.late(0, std::chrono::microseconds(us));
        kill(call, 3, 1ms);
        const auto& outcomes = call.run(40'000, gathers);
        parts_in(outcomes, {3});
    }
}

TEST_CASE("whose numbers the codec refuses is left behind, and its part with it")
{
    salvaged_call call(4);
    const auto gathers = gather({}, papilio::int8b{});
    const auto& outcomes =
        call.run(8'000, [&](auto& net, std::vector<float>& data) -> task<report> {
            if (net.rank() == 3) data[0] = std::numeric_limits<float>::quiet_NaN();
            return gathers(net, data);
        });
    CHECK(outcomes[3].why == errc::not_finite);
    CHECK(parts_in(outcomes, {3}) == std::set<int>{0, 1, 2});
    CHECK(outcomes[0].done->left == std::vector<papilio::departure>{{3, errc::not_finite}});
}

TEST_CASE("who has no part of an all_gather is missed like everybody")
{
    salvaged_call call(4);
    kill(call, 3, 5ms);
    const auto& outcomes =
        call.run(30'000, [](salvaged_call::net& net, std::vector<float>& data) -> task<report> {
            const std::size_t mine = net.rank() == 3 ? 0 : 10'000;
            const auto in = std::make_unique<std::vector<float>>(mine, data[0]);
            task<report> work =
                papilio::all_gather(net, std::span<const float>(*in), std::span(data),
                                    {.salvage = true, .sizes = {10'000, 10'000, 10'000, 0}});
            co_return co_await std::move(work);
        });
    for (const std::size_t rank : {0, 1, 2}) {
        REQUIRE(outcomes[rank].done);
        CHECK(outcomes[rank].data[9'999] == 1.f);
        CHECK(outcomes[rank].data[29'999] == 4.f);
        CHECK(outcomes[rank].done->left.size() == 1);
    }
}
