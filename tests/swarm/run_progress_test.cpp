#include <papilio/swarm/run_progress.hpp>

#include <catch2/catch.hpp>

using papilio::detail::run_progress;

TEST_CASE("after 4,095 groups epochs begin at 1 again", "[membership]")
{
    run_progress run(0, "");
    for (std::uint32_t epoch = 1; epoch <= papilio::max_epoch; ++epoch)
        REQUIRE(run.next_group(1000).epoch == epoch);
    CHECK(papilio::max_epoch == 4095);
    CHECK(run.next_group(1000).epoch == 1);
    CHECK(run.next_group(1000).epoch == 2);
}
