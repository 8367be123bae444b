#include <papilio/plan/butterfly.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using papilio::butterfly;

namespace {

const std::vector<std::vector<int>> vectors{{2},    {7},    {2, 2},       {2, 3},    {3, 2},
                                            {4, 3}, {2, 5}, {2, 2, 2, 2}, {3, 4, 2}, {16, 16}};

int product(const std::vector<int>& radix)
{
    int n = 1;
    for (const int r : radix) n *= r;
    return n;
}

}  // namespace

TEST_CASE("a peer meets, in each stage, those that differ from it in that digit alone")
{
    for (const auto& radix : vectors) {
        const butterfly plan(product(radix), radix);
        for (int rank = 0; rank < plan.peers(); ++rank)
            for (int k = 0; k < plan.stages(); ++k)
                for (int d = 0; d < plan.radix(k); ++d) {
                    const int other = plan.partner(rank, k, d);
                    REQUIRE(plan.digit(other, k) == d);
                    for (int m = 0; m < plan.stages(); ++m)
                        if (m != k) REQUIRE(plan.digit(other, m) == plan.digit(rank, m));
                    if (other != rank) REQUIRE(plan.meeting(rank, other) == k);
                }
    }
}

TEST_CASE("after the last stage a version holds everybody's contribution, once")
{
    for (const auto& radix : vectors) {
        const butterfly plan(product(radix), radix);
        for (int rank = 0; rank < plan.peers(); ++rank) {
            std::set<int> heard{rank};
            for (int k = 0; k < plan.stages(); ++k) {
                REQUIRE(heard.size() == static_cast<std::size_t>(plan.block_size(k)));
                REQUIRE(*heard.begin() == plan.block(rank, k));
                REQUIRE(*heard.rbegin() == plan.block(rank, k) + plan.block_size(k) - 1);
                std::set<int> more;
                for (int d = 0; d < plan.radix(k); ++d)
                    for (int p = 0; p < plan.block_size(k); ++p)
                        REQUIRE(more.insert(plan.block(plan.partner(rank, k, d), k) + p).second);
                heard = more;
            }
            REQUIRE(heard.size() == static_cast<std::size_t>(plan.peers()));
        }
    }
}

TEST_CASE("messages of the next stage, in the order of digits, make up one of this stage")
{
    for (const auto& radix : vectors) {
        const butterfly plan(product(radix), radix);
        for (int rank = 0; rank < plan.peers(); ++rank) {
            CHECK(plan.parts_of(rank, plan.stages() - 1) == std::vector{rank});
            for (int k = 0; k + 1 < plan.stages(); ++k) {
                std::vector<int> joined;
                for (int d = 0; d < plan.radix(k + 1); ++d) {
                    const auto next = plan.parts_of(plan.partner(rank, k + 1, d), k + 1);
                    joined.insert(joined.end(), next.begin(), next.end());
                }
                REQUIRE(plan.parts_of(rank, k) == joined);
            }
        }
    }
}

TEST_CASE("peers that differ in two digits never meet")
{
    const std::vector<int> radix{2, 3};
    const butterfly plan(6, radix);
    CHECK(plan.meeting(0, 1) == 0);
    CHECK(plan.meeting(0, 4) == 1);
    CHECK(plan.meeting(0, 3) == -1);
    CHECK(plan.meeting(5, 5) == -1);
}

TEST_CASE("without a radix vector all meet in one stage, be it a peer alone")
{
    CHECK(butterfly(7).stages() == 1);
    CHECK(butterfly(7).radix(0) == 7);
    CHECK(butterfly(1).stages() == 1);
    CHECK(butterfly(1).radix(0) == 1);
}

TEST_CASE("a radix vector that does not fit is refused with a sentence")
{
    const auto refused = [](int peers, std::vector<int> radix) {
        CHECK_THROWS_WITH(butterfly(peers, radix),
                          Catch::Contains("does not suit " + std::to_string(peers)));
    };
    refused(6, {2, 2});
    refused(6, {6, 1});
    refused(6, {-2, -3});
    refused(6, {0});
    refused(1, {2});
    refused(4, {2, 2, 2});
    refused(65'535, std::vector<int>(40, 1'000'000));
}
