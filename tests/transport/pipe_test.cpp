#include <papilio/transport/pipe.hpp>

#include <papilio/sim/world.hpp>
#include <papilio/transport/channel.hpp>

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
