#include <papilio/transport/pipe.hpp>

#include <papilio/sim/world.hpp>
#include <papilio/transport/channel.hpp>

#include <faults/drop_every_step.hpp>
#include <support/channel_contract.hpp>

#include <catch2/catch.hpp>

namespace pa = papilio;
using namespace std::chrono_literals;

TEST_CASE("a pipe keeps what channels promise", "[channel]")
{
    for (const auto& rule : pa::test::channel_contract()) {
        DYNAMIC_SECTION(rule.sentence)
        {
            pa::sim::world world;
            auto ends = pa::make_pipe(world, 10ms);
            pa::any_channel a(std::move(ends.first));
            auto b = std::make_unique<pa::any_channel>(std::move(ends.second));
            pa::sync_wait(world, rule.check(a, b));
        }
    }
}

TEST_CASE("a message takes a pipe's latency", "[channel]")
{
    pa::sim::world world;
    auto ends = pa::make_pipe(world, 25ms);
    const auto exchange = [&]() -> pa::task<> {
        const auto message = pa::test::message_of(3, 100);
        co_await ends.first.send(message);
        CHECK(world.now() == pa::time_point{});
        const auto heard = co_await ends.second.recv(100);
        CHECK(heard == message);
        CHECK(world.now() == pa::time_point(25ms));
    };
    pa::sync_wait(world, exchange());
}

TEST_CASE("send and recv on a pipe can be dropped after any event", "[channel][drop]")
{
    const auto talk = [](pa::sim::world& world) -> pa::task<> {
        auto ends = pa::make_pipe(world, 10ms);
        for (unsigned i = 0; i < 5; ++i) {
            const auto message = pa::test::message_of(i, 1000);
            co_await ends.first.send(message);
            const auto heard = co_await ends.second.recv(1000);
            CHECK(heard == message);
        }
        co_await ends.first.close();
    };
    int steps = 0;
    for (bool done = false; !done; ++steps) {
        pa::sim::world world;
        std::vector<pa::task<>> tasks;
        tasks.push_back(talk(world));
        tasks.back().start(world);
        done = pa::test::run_steps(world, tasks, steps);
        tasks.clear();
        while (world.run_one()) {
        }
    }
    CHECK(steps > 5);
}
