#include <papilio/plan/link_history.hpp>

#include <catch2/catch.hpp>

#include <limits>

using namespace papilio;
using namespace std::chrono_literals;

namespace {

constexpr flow limited(double rate)
{
    return {rate, 0.97};
}
constexpr flow idling(double rate)
{
    return {rate, 0.3};
}

}  // namespace

TEST_CASE("who has seen nothing has nothing to tell")
{
    link_history h;
    CHECK(h.tell(1s) == advertised_link{});
    h.note_call({}, {}, 2s);
    CHECK(h.tell(3s) == advertised_link{});
}

TEST_CASE("of measurements the median of the last three counts")
{
    link_history h;
    h.note_call(limited(100), idling(70), 1s);
    CHECK(h.tell(1s) == advertised_link{100, 70, 0});
    h.note_call(limited(10), {}, 2s);
    CHECK(h.tell(2s).up == 100);  // one bad call
    h.note_call(limited(11), {}, 3s);
    CHECK(h.tell(3s).up == 11);  // two in a row
    h.note_call(limited(100), {}, 4s);
    CHECK(h.tell(4s).up == 11);
}

TEST_CASE("that a link idles says only that it can carry at least that much")
{
    link_history h;
    h.note_call(idling(50), idling(50), 1s);
    h.note_call(idling(20), limited(20), 2s);
    CHECK(h.tell(2s) == advertised_link{50, 50, 0});
    h.note_call(idling(20), limited(20), 3s);
    CHECK(h.tell(3s) == advertised_link{50, 20, 0});
    h.note_call(idling(80), idling(80), 4s);
    CHECK(h.tell(4s) == advertised_link{80, 80, 0});
}

TEST_CASE("what is told stands until what is seen has changed by more than the tolerance")
{
    link_history h;
    for (int i = 0; i < 30; ++i) {
        h.note_call(limited(i % 2 == 0 ? 95 : 105), limited(100), std::chrono::seconds(i));
        CHECK(h.tell(std::chrono::seconds(i)) == advertised_link{95, 100, 0});
    }
    for (int i = 30; i < 33; ++i) h.note_call(limited(111), limited(84), std::chrono::seconds(i));
    CHECK(h.tell(33s) == advertised_link{111, 84, 0});
}

TEST_CASE("what was not seen for a lifetime is forgotten")
{
    link_history h({.lifetime = 60s});
    h.note_call(limited(100), limited(50), 10s);
    h.note_latency(0.02, 40s);
    CHECK(h.tell(70s) == advertised_link{100, 50, 0.02});
    CHECK(h.tell(71s) == advertised_link{0, 0, 0.02});
    h.note_call(idling(7), {}, 80s);
    CHECK(h.tell(80s).up == 7);
}

TEST_CASE("a table takes what is not known from what is")
{
    const std::vector<advertised_link> told{{40, 50, 0.01}, {}, {0, 30, 0.02}, {20, 0, 0}};
    const auto t = table_of(told);
    REQUIRE(t);
    CHECK(t->access == std::vector<access_rate>{{40, 50}, {30, 30}, {30, 30}, {20, 20}});
    CHECK(t->latency_seconds == 0.02);
    CHECK_NOTHROW(check(*t, 4));
    CHECK_FALSE(table_of(std::vector<advertised_link>(3)));
}

TEST_CASE("figures that are none count as unknown")
{
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::vector<advertised_link> told{{nan, infinity, nan}, {-3, 0, -1}, {5, 4, 0}};
    const auto t = table_of(told);
    REQUIRE(t);
    CHECK(t->access == std::vector<access_rate>{{4, 4}, {4, 4}, {5, 4}});
    CHECK_NOTHROW(check(*t, 3));
    link_history h;
    h.note_call({nan, 1}, {infinity, 1}, 1s);
    CHECK(h.tell(1s) == advertised_link{});
}
