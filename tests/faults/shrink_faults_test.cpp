// Groups that shrink to those who are left.

#include <papilio/collective/shrink.hpp>

#include <papilio/collective/all_reduce.hpp>
#include <papilio/collective/barrier.hpp>
#include <papilio/op/sum.hpp>
#include <papilio/transport/subset.hpp>

#include "faults/salvaged_call.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using papilio::errc;
using papilio::report;
using papilio::task;
using papilio::test::kill;
using papilio::test::salvaged_call;

namespace {

using groups = std::map<int, std::vector<int>>;

/// Shrinks the whole, notes whom each peer holds for left, and makes a call with those.
salvaged_call::program shrink_all(groups& found, papilio::call_options options = {})
{
    return [&found, options](salvaged_call::net& net, std::vector<float>& data) -> task<report> {
        auto shrinking = papilio::shrink(net, 1, options);
        auto left = co_await std::move(shrinking);
        for (int peer = 0; peer < left.size(); ++peer)
            found[net.rank()].push_back(left.member(peer));
        task<report> call = papilio::all_reduce_in_place(left, std::span(data), papilio::sum{},
                                                         papilio::identity{}, {.salvage = true});
        co_return co_await std::move(call);
    };
}

/// All who hold a group hold the same; returns it.
std::vector<int> the_group(const groups& found)
{
    REQUIRE_FALSE(found.empty());
    const auto& group = found.begin()->second;
    for (const auto& [rank, members] : found) {
        CHECK(members == group);
        CHECK(std::set<int>(members.begin(), members.end()).contains(rank));
    }
    return group;
}

}  // namespace

TEST_CASE("if nobody is lost a group shrinks to itself")
{
    salvaged_call call(5);
    groups found;
    call.run(3, shrink_all(found));
    CHECK(found.size() == 5);
    CHECK(the_group(found) == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("whenever one or two die all who shrink the group hold the same one, without delay")
{
    bool four = false, three = false;
    for (int us = 0; us <= 60'000; us += 1'500) {
        INFO(us << " us");
        salvaged_call call(5);
        call.late(1, 2ms);
        kill(call, 1, std::chrono::microseconds(us));
        call.late(4, 10ms);
        kill(call, 4, 5ms);
        groups found;
        const auto& ends = call.run(3, shrink_all(found));
        const auto group = the_group(found);
        for (const std::size_t rank : {0, 2, 3}) {
            CHECK(ends[rank].done);
            CHECK(ends[rank].took < 2s);
        }
        four |= group.size() == 4;
        three |= group == std::vector<int>{0, 2, 3};
    }
    CHECK(three);
    CHECK(four);
}

TEST_CASE("who is cut off has an error, and those who are left a group without it")
{
    salvaged_call call(4);
    call.at(1ms, [](papilio::sim::world& w) {
        for (const int peer : {0, 1, 3}) w.cut(2, peer), w.cut(peer, 2);
    });
    groups found;
    const auto& ends = call.run(3, shrink_all(found, {.timeout = 4s}));
    CHECK(the_group(found) == std::vector<int>{0, 1, 3});
    CHECK_FALSE(ends[2].done);
    CHECK(ends[2].why);
    CHECK(ends[2].took <= 4s);
    for (const std::size_t rank : {0, 1, 3}) CHECK(ends[rank].done);
}

TEST_CASE("less than half of a group do not shrink it, nor less than min_peers")
{
    for (const int least : {0, 4}) {
        salvaged_call call(5);
        kill(call, 1, 0ms);
        kill(call, 4, 0ms);
        if (least == 0) kill(call, 3, 0ms);
        groups found;
        const auto& ends = call.run(3, shrink_all(found, {.timeout = 4s, .min_peers = least}));
        CHECK(found.empty());
        CHECK(ends[0].why);
        CHECK(ends[2].why);
    }
}

TEST_CASE("a group that has shrunk shrinks again, and so does one that somebody has made")
{
    salvaged_call call(6);
    kill(call, 1, 2ms);
    kill(call, 5, 500ms);
    groups found;
    const auto& ends =
        call.run(1, [&](salvaged_call::net& net, std::vector<float>&) -> task<report> {
            papilio::subset<salvaged_call::net> own(net, {5, 4, 3, 2, 1, 0}, 1);
            auto shrinking = papilio::shrink(own, 2);
            auto first = co_await std::move(shrinking);
            co_await papilio::sleep_for(1s);
            auto again = papilio::shrink(first, 3);
            auto second = co_await std::move(again);
            for (int peer = 0; peer < second.size(); ++peer)
                found[net.rank()].push_back(second.member(peer));
            task<report> meeting = papilio::barrier(second);
            co_return co_await std::move(meeting);
        });
    CHECK(the_group(found) == std::vector<int>{4, 3, 2, 0});
    for (const std::size_t rank : {0, 2, 3, 4}) CHECK(ends[rank].done);
}
