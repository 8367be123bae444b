#include <papilio/session.hpp>
#include <papilio/session/impl/meeting.hpp>

#include <catch2/catch.hpp>

#include "support/communicators.hpp"
#include "support/thrown.hpp"

#include <papilio/async/sync_wait.hpp>

#include <chrono>
#include <cstdlib>
#include <latch>
#include <optional>
#include <string>
#include <vector>

namespace pa = papilio;
using namespace std::chrono_literals;

TEST_CASE("peers that meet at the first one are a group, whoever comes first")
{
    const auto at = pa::test::free_endpoints(1).front();
    std::vector<float> sums(4);
    pa::test::in_threads(4, [&](int rank) {
        auto group = pa::communicator::meet(rank, 4, at);
        std::vector<float> data{static_cast<float>(rank)};
        group.all_reduce_in_place(data);
        sums[static_cast<std::size_t>(rank)] = data[0];
    });
    CHECK(sums == std::vector<float>(4, 6));
}

TEST_CASE("peers of a group rejoin where they meet again, wherever the new process listens")
{
    const auto at = pa::test::free_endpoints(1).front();
    std::vector<float> sums(3);
    std::latch met(3);
    pa::test::in_threads(3, [&](int rank) {
        auto group = pa::communicator::meet(rank, 3, at);
        met.arrive_and_wait();
        if (rank == 2) group.close(0s);  // and is another process from here on
        auto again =
            rank == 2 ? pa::communicator::meet(2, 3, at, {.number = 1}) : group.rejoin({2}, 1);
        std::vector<float> data{1};
        again.all_reduce_in_place(data);
        sums[static_cast<std::size_t>(rank)] = data[0];
    });
    CHECK(sums == std::vector<float>(3, 3));
}

TEST_CASE("a peer that does not come is named at the first one, and the first one at the others")
{
    const auto at = pa::test::free_endpoints(1).front();
    std::vector<std::string> said(2);
    pa::test::in_threads(2, [&](int rank) {
        try {
            pa::communicator::meet(rank, 3, at, {.connect_timeout = 200ms});
        } catch (const std::system_error& failure) {
            said[static_cast<std::size_t>(rank)] = pa::sentence(failure);
        }
    });
    CHECK(said[0] == "the peers did not meet: peer 2 has not come");
    CHECK(said[1] == "the peers did not meet: the first peer, at " + to_string(at) +
                         ", has not told who is there");
}

TEST_CASE("a peer that does not know its own address is reached at the one that it came from")
{
    const auto at = pa::test::free_endpoints(1).front();
    pa::asio_loop loop;
    const pa::detail::meeting first{0, 2, 1, at}, second{1, 2, 1, at};
    const pa::hybrid::address known{{"127.0.0.1", 1}, {}}, unknown{{"", 2}, {}};
    auto here = pa::detail::meet_others(loop, first, known, 30s);
    auto there = pa::detail::meet_others(loop, second, unknown, 30s);
    here.start(loop);
    there.start(loop);
    while (!here.finished() || !there.finished()) loop.run_one();
    for (const auto& place : {here.result().at(1), there.result().at(1)}) {
        CHECK(place.host == "127.0.0.1");
        CHECK(place.port == 2);
    }
}

TEST_CASE("a meeting can be dropped after any event")
{
    const auto at = pa::test::free_endpoints(1).front();
    bool whole = false;
    for (int events = 0; !whole && events < 400; ++events) {
        pa::asio_loop loop;
        const pa::detail::meeting first{0, 2, 1, at}, second{1, 2, 1, at};
        const pa::hybrid::address own{{"127.0.0.1", 1}, {}};
        auto here = pa::detail::meet_others(loop, first, own, 5s);
        auto there = pa::detail::meet_others(loop, second, own, 5s);
        here.start(loop);
        there.start(loop);
        for (int i = 0; i < events && !(here.finished() && there.finished()); ++i) loop.run_one();
        whole = here.finished() && there.finished();
        if (whole) CHECK(here.result().size() == there.result().size());
    }
    CHECK(whole);
}
