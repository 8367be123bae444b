#include <papilio/collective/agreement/conflicts.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <vector>

using papilio::rank_set;
using papilio::detail::without_conflicts;

namespace {

/// The complaints among n peers that the bits of `drawn` stand for: peer i about peer j.
std::vector<rank_set> complaints_of(int n, std::uint32_t drawn)
{
    std::vector<rank_set> rows(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
            if (i != j && (drawn >>= 1, drawn & 1)) rows[static_cast<std::size_t>(i)].insert(j);
    return rows;
}

}  // namespace

TEST_CASE("a single complaint strikes its author")
{
    CHECK(without_conflicts({0, 1, 2}, std::vector<rank_set>{{}, {0}, {}}) == rank_set{0, 2});
    CHECK(without_conflicts({0, 1, 2}, std::vector<rank_set>{{1}, {}, {}}) == rank_set{1, 2});
}

TEST_CASE("whom two complain about is struck, and they stay")
{
    CHECK(without_conflicts({0, 1, 2, 3}, std::vector<rank_set>{{2}, {2}, {}, {}}) ==
          rank_set{0, 1, 3});
}

TEST_CASE("of two that complain about each other the higher rank is struck")
{
    CHECK(without_conflicts({0, 1, 2}, std::vector<rank_set>{{}, {2}, {1}}) == rank_set{0, 1});
}

TEST_CASE("complaints of and about others than the candidates do not count")
{
    CHECK(without_conflicts({0, 1}, std::vector<rank_set>{{2}, {}, {0, 1}}) == rank_set{0, 1});
}

TEST_CASE(
    "whoever complains about nobody stays but for two complaints, and conflicts end, in all "
    "sets of complaints among three and four peers")
{
    for (const int n : {3, 4})
        for (std::uint32_t drawn = 0; drawn < 2u << (n * (n - 1)); drawn += 2) {
            const auto rows = complaints_of(n, drawn);
            const auto members = without_conflicts(rank_set::of_all(n), rows);
            for (int i = 0; i < n; ++i) {
                const auto& own = rows[static_cast<std::size_t>(i)];
                if (members.contains(i)) REQUIRE_FALSE(own.intersects(members));
                if (members.contains(i) || !own.empty()) continue;
                int against = 0;
                for (const auto& row : rows) against += row.contains(i);
                REQUIRE(against >= 2);
            }
        }
}
