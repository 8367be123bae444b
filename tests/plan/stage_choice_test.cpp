#include <papilio/plan/stage_choice.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <numeric>
#include <vector>

using namespace papilio;
using radix = std::vector<int>;

TEST_CASE("the stages that are chosen multiply to the number of peers, whatever it is")
{
    for (const int peers : {1, 2, 7, 8, 12, 30, 64, 97, 1000, 4096, 30'030, 65'520})
        for (const std::size_t bytes : {0u, 1u, 1u << 16, 1u << 24}) {
            const auto chosen = choose_stages(peers, bytes);
            CHECK(std::accumulate(chosen.radix.begin(), chosen.radix.end(), 1, std::multiplies{}) ==
                  peers);
            CHECK(chosen.radix.size() <= 16);
            if (peers > 1) CHECK(chosen.seconds == stage_seconds(chosen.radix, bytes));
            CHECK(chosen.reasons.empty());
        }
}

TEST_CASE("where messages cost the most there are many stages, and one where bytes do")
{
    CHECK(choose_stages(64, 64 << 10).radix == radix{4, 2, 2, 2, 2});
    CHECK(choose_stages(64, 16 << 20).radix.size() < 4);
    CHECK(choose_stages(16, 64 << 10).radix.size() > 1);
    CHECK(choose_stages(16, 16 << 20).radix == radix{16});
    CHECK(choose_stages(8, 16 << 20).radix == radix{8});
    CHECK(choose_stages(13, 64 << 10).radix == radix{13});
    const message_costs free_messages{.message = 0, .step = 1e-6, .copied = 1e-9};
    CHECK(choose_stages(64, 64 << 10, false, free_messages).radix == radix{64});
    const message_costs free_steps{.message = 1e-6, .step = 0, .copied = 0};
    CHECK(choose_stages(16, 64, false, free_steps).radix == radix{2, 2, 2, 2});
}

TEST_CASE("what stages cost is counted by hand")
{
    const message_costs messages{.message = 1, .step = 0, .copied = 0};
    const message_costs steps{.message = 0, .step = 1, .copied = 0};
    const message_costs copies{.message = 0, .step = 0, .copied = 1};
    // A contribution and a result of one column, and a vote, to each of three and one.
    CHECK(stage_seconds({4, 2}, 64 << 10, messages) == 12);
    CHECK(stage_seconds({4, 2}, 64 << 10, steps) == 6);
    // In the first stage 3/4 go out and come back, and 1/4 is handed on; in the last none is
    // packed.
    CHECK(stage_seconds({4, 2}, 1000, copies) == 1750);
    CHECK(stage_seconds({4, 2, 2}, 1000, copies) == 1750 + 375);
    CHECK(stage_seconds({8}, 1000, copies) == 0);
    // Little data goes from everybody to everybody at once.
    CHECK(stage_seconds({8}, 1000, messages) == 14);
    CHECK(stage_seconds({8}, 1000, steps) == 2);
    // Chunks of 128 KiB: sixteen columns.
    CHECK(stage_seconds({8}, 16 << 20, messages) == 7 * 33);
}

TEST_CASE("of nearly equals the fewest stages are chosen, and the reasons name the next best")
{
    const message_costs even{.message = 1, .step = 1, .copied = 0};
    const auto chosen = choose_stages(16, 64 << 10, true, even);
    CHECK(chosen.radix == radix{4, 4});  // 18 messages and 6 steps; 12 and 12 are as many
    CHECK_THAT(chosen.reasons, Catch::StartsWith("[4,4]: ") && Catch::Contains("rather than [") &&
                                   Catch::Contains("[2,2,2,2]: "));
}
