#include <papilio/async/event.hpp>
#include <papilio/async/loop.hpp>

#include <catch2/catch.hpp>

#include <array>

namespace pa = papilio;

namespace {

struct no_op final : pa::event {
    void fire() override {}
};

}  // namespace

TEST_CASE("a list of events keeps their order, wherever one is removed")
{
    std::array<no_op, 3> events;
    for (std::size_t removed = 0; removed < events.size(); ++removed) {
        pa::detail::event_list list;
        CHECK(list.empty());
        for (auto& e : events) list.append(e);
        list.remove(events[removed]);
        list.append(events[removed]);
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (i == removed) continue;
            REQUIRE(list.front() == &events[i]);
            list.remove(events[i]);
        }
        REQUIRE(list.front() == &events[removed]);
        list.remove(events[removed]);
        CHECK(list.empty());
    }
}
