#include <papilio/base/rank_set.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <set>
#include <vector>

using namespace papilio;

namespace {

rank_set set_of(std::initializer_list<int> ranks)
{
    rank_set all;
    for (const int rank : ranks) all.insert(rank);
    return all;
}

std::vector<int> ranks_of(const rank_set& all)
{
    return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("a set of ranks holds what was inserted and not erased, in ascending order")
{
    papilio::random draw(7);
    for (const unsigned peers : {1u, 5u, 64u, 65u, 200u, 4096u}) {
        rank_set mine;
        std::set<int> known;
        for (int step = 0; step < 300; ++step) {
            const int rank = static_cast<int>(draw() % peers);
            if (draw() % 3 == 0)
                REQUIRE(mine.erase(rank) == (known.erase(rank) == 1));
            else
                REQUIRE(mine.insert(rank) == known.insert(rank).second);
            REQUIRE(mine.contains(rank) == known.contains(rank));
        }
        CHECK(ranks_of(mine) == std::vector<int>(known.begin(), known.end()));
        CHECK(mine.size() == static_cast<int>(known.size()));
        CHECK(mine.empty() == known.empty());
    }
}

TEST_CASE("no set holds a negative rank, and an empty set has nothing to read")
{
    CHECK(!rank_set{}.contains(-1));
    CHECK(!rank_set::of_all(70).contains(-1));
    CHECK(!rank_set{}.erase(100));
    CHECK(ranks_of({}).empty());
    CHECK(ranks_of(set_of({64})) == std::vector<int>{64});
}

TEST_CASE("sets of the same ranks are equal, whatever they held before")
{
    auto once_large = set_of({1, 63, 4095});
    once_large.erase(4095);
    CHECK(once_large == set_of({63, 1}));
    CHECK(once_large != set_of({1}));
    CHECK(once_large != set_of({1, 63, 64}));
    auto emptied = set_of({200});
    emptied -= set_of({200});
    CHECK(emptied == rank_set{});
    CHECK(emptied.empty());
}

TEST_CASE("all ranks of a group are those below its number of peers")
{
    for (const int peers : {0, 1, 63, 64, 65, 128, 129, 4096}) {
        const auto all = rank_set::of_all(peers);
        CHECK(all.size() == peers);
        CHECK(!all.contains(peers));
        CHECK(all.contains(peers - 1) == (peers > 0));
    }
}

TEST_CASE("union, intersection and difference hold the ranks that they should")
{
    const auto few = set_of({1, 2, 70});
    const auto many = set_of({2, 3, 70, 300});
    CHECK((few | many) == set_of({1, 2, 3, 70, 300}));
    CHECK((many | few) == (few | many));
    CHECK((few & many) == set_of({2, 70}));
    CHECK((many & few) == (few & many));
    CHECK((few - many) == set_of({1}));
    CHECK((many - few) == set_of({3, 300}));
}

TEST_CASE("sets intersect when they share a rank, and one includes another that adds none")
{
    CHECK(set_of({1, 200}).intersects(set_of({200})));
    CHECK(set_of({200}).intersects(set_of({1, 200})));
    CHECK(!set_of({1, 200}).intersects(set_of({2, 201, 1000})));
    CHECK(!rank_set{}.intersects(rank_set::of_all(100)));
    CHECK(set_of({1, 200}).includes(set_of({200})));
    CHECK(set_of({1, 200}).includes({}));
    CHECK(!set_of({200}).includes(set_of({1, 200})));
    CHECK(!set_of({1}).includes(set_of({1, 200})));
}

TEST_CASE("a set is the words that it is written as")
{
    CHECK(rank_set::words(0) == 0);
    CHECK(rank_set::words(1) == 1);
    CHECK(rank_set::words(64) == 1);
    CHECK(rank_set::words(65) == 2);
    CHECK(rank_set::words(4096) == 64);
    const auto some = set_of({0, 5, 64, 191});
    CHECK(some.word(0) == 0x21);
    CHECK(some.word(1) == 1);
    CHECK(some.word(2) == std::uint64_t{1} << 63);
    CHECK(some.word(3) == 0);
    rank_set again;
    for (const std::size_t i : {2u, 0u, 3u, 1u}) again.set_word(i, some.word(i));
    CHECK(again == some);
}
