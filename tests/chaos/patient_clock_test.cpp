#include <chaos/patient_clock.hpp>

#include <catch2/catch.hpp>

using papilio::example::chaos::patient_clock;
using namespace std::chrono_literals;

TEST_CASE("a clock of running time goes on by a second at most where everything stands still",
          "[chaos]")
{
    const patient_clock::clock::time_point begin{};
    patient_clock c(begin);
    CHECK(c.now(begin + 400ms) == Approx(0.4));
    CHECK_FALSE(c.look(begin + 500ms));
    CHECK(c.now(begin + 900ms) == Approx(0.9));
    CHECK(c.now(begin + 20s) == Approx(1.5));
    CHECK(c.look(begin + 20s));
    CHECK(c.now(begin + 20s + 100ms) == Approx(1.6));
    c.restart(begin + 21s);
    CHECK(c.now(begin + 21s) == 0);
}
