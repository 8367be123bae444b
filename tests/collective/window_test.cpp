#include <papilio/collective/detail/window.hpp>

#include <papilio/async/sleep.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/sim/world.hpp>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using papilio::detail::window;

namespace {

struct scene {
    papilio::sim::world loop;
    window lanes;

    bool uses(std::size_t lane) { return papilio::sync_wait(loop, lanes.uses(lane)); }
    void wait(papilio::duration span) { papilio::sync_wait(loop, papilio::sleep_for(span)); }
};

}  // namespace

TEST_CASE("the first lanes are used at once")
{
    scene s;
    s.lanes.open(s.loop, 2);
    CHECK(s.uses(0));
    CHECK(s.uses(1));
    CHECK(s.loop.now() == papilio::time_point{});
}

TEST_CASE("the other lanes are used as soon as the first answer is late")
{
    scene s;
    s.lanes.open(s.loop, 2);
    CHECK(s.uses(2));
    CHECK(s.loop.now() > papilio::time_point{10ms});
    s.lanes.answered();
    CHECK(s.uses(3));
}

TEST_CASE("the other lanes are not needed once an answer has come in time")
{
    scene s;
    s.lanes.open(s.loop, 2);
    s.wait(1ms);
    s.lanes.answered();
    CHECK_FALSE(s.uses(2));
    s.wait(1s);
    CHECK_FALSE(s.uses(3));
    CHECK(s.uses(1));
}

TEST_CASE("where it makes no difference all lanes are used")
{
    scene s;
    s.lanes.open_wide();
    CHECK(s.uses(7));
    s.lanes.answered();
    CHECK(s.uses(8));
}
