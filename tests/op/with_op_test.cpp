#include <papilio/op/with_op.hpp>

#include "op/contributions.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace papilio;
using namespace papilio::op_testing;

TEST_CASE("an operation is found by its id")
{
    const contributions_of<float> contributions{{1, 5}, {3, 2}};
    const auto apply = [&](auto op) { return reduce(op, contributions); };
    CHECK(with_op(op_id::sum, apply) == std::vector<float>{4, 7});
    CHECK(with_op(op_id::mean, apply) == std::vector<float>{2, 3.5f});
    CHECK(with_op(op_id::weighted_mean, apply) == std::vector<float>{2, 3.5f});
    CHECK(with_op(op_id::min, apply) == std::vector<float>{1, 2});
    CHECK(with_op(op_id::max, apply) == std::vector<float>{3, 5});
    CHECK(with_op(op_id::prod, apply) == std::vector<float>{3, 10});
    CHECK(with_op(op_id::exact_mean, apply) == std::vector<float>{2, 3.5f});
}

TEST_CASE("an operation that is not in the list is refused")
{
    const auto nothing = [](auto) {};
    CHECK_THROWS_AS(with_op(integer_ops{}, op_id::mean, nothing), std::system_error);
    CHECK_THROWS_AS(with_op(op_id{200}, nothing), std::system_error);
}
