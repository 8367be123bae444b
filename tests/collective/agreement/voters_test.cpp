#include <papilio/collective/agreement/voters.hpp>

#include <catch2/catch.hpp>

#include <vector>

using papilio::rank_set;
using papilio::role;
using papilio::detail::voters;

TEST_CASE("a view takes more than half of the voters, or more where the caller says so")
{
    const std::vector<role> roles(4, role::full);
    const voters plain(roles, rank_set::of_all(4));
    CHECK_FALSE(plain.may_be_members({0, 1}));
    CHECK(plain.may_be_members({1, 2, 3}));
    const voters all_but_none(roles, rank_set::of_all(4), 4);
    CHECK_FALSE(all_but_none.may_be_members({1, 2, 3}));
    CHECK(all_but_none.need_all());
    CHECK(voters(roles, rank_set::of_all(4), 1).may_be_members({1, 2, 3}));
    CHECK_FALSE(voters(roles, rank_set::of_all(4), 1).may_be_members({1, 2}));
}

TEST_CASE("of two voters both are needed, of three two")
{
    CHECK(voters(std::vector<role>(2, role::full), {0, 1}).need_all());
    CHECK_FALSE(voters(std::vector<role>(3, role::full), {0, 1, 2}).need_all());
}

TEST_CASE("only those who are to hold the whole result count towards more than half")
{
    const std::vector<role> roles{role::full, role::full, role::full, role::auxiliary,
                                  role::auxiliary};
    const voters who(roles, {0, 1, 2});
    CHECK_FALSE(who.may_be_members({2, 3, 4}));
    CHECK(who.may_be_members({0, 2}));
    CHECK(voters(roles, {}).may_be_members({2, 3, 4}));  // nobody is: all count
}

TEST_CASE("clients do not meet, form no view alone, and coordinate none")
{
    const voters who(
        std::vector{role::full, role::client, role::client, role::full, role::observer},
        {0, 1, 2, 3});
    CHECK(who.all() == rank_set{0, 1, 2, 3});
    CHECK(who.relayed());
    CHECK(who.meet(0, 3));
    CHECK(who.meet(1, 3));
    CHECK_FALSE(who.meet(1, 2));
    CHECK_FALSE(who.meet(3, 3));
    CHECK_FALSE(who.meet(0, 4));
    CHECK(who.coordinator(1) == 0);
    CHECK(who.coordinator(2) == 3);
    CHECK(who.coordinator(3) == 0);
    const voters star(std::vector{role::full, role::client, role::client}, {0, 1, 2});
    CHECK_FALSE(star.may_be_members({1, 2}));
}
