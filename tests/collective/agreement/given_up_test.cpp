#include <papilio/collective/agreement/given_up.hpp>

#include <catch2/catch.hpp>

#include <vector>

using papilio::rank_set;
using papilio::role;
using papilio::detail::given_up;
using papilio::detail::voters;

namespace {

const voters five(std::vector<role>(5, role::full), rank_set::of_all(5));

}  // namespace

TEST_CASE("a peer is given up when more than half of those who meet it complain")
{
    CHECK(given_up(five, std::vector<rank_set>{{4}, {4}, {}, {}, {}}, {}).empty());
    CHECK(given_up(five, std::vector<rank_set>{{4}, {4}, {4}, {}, {}}, {}) == rank_set{4});
}

TEST_CASE("who has withdrawn is not asked")
{
    CHECK(given_up(five, std::vector<rank_set>{{4}, {4}, {}, {}, {}}, {3}) == rank_set{4});
}

TEST_CASE("two that are lost at once are both given up by the three others")
{
    CHECK(given_up(five, std::vector<rank_set>{{3, 4}, {3, 4}, {3, 4}, {}, {}}, {}) ==
          rank_set{3, 4});
}

TEST_CASE("a client is given up by the reducers that are not given up themselves")
{
    const voters who(std::vector{role::full, role::full, role::client, role::client, role::client},
                     rank_set::of_all(5));
    CHECK(given_up(who, std::vector<rank_set>{{2}, {}, {}, {}, {}}, {}).empty());
    CHECK(given_up(who, std::vector<rank_set>{{1, 2}, {}, {}, {1}, {1}}, {}) == rank_set{1, 2});
}
