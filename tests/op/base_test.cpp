#include <papilio/op.hpp>

#include <catch2/catch.hpp>

#include <type_traits>

using namespace papilio;

namespace {

// What a user might write.
struct first_of_all {
    static constexpr auto id = static_cast<op_id>(200);

    template <element T>
    void reduce(std::span<const std::span<const T>> contributions, std::span<const double>,
                std::span<T> out) const
    {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = contributions[0][i];
    }
};

struct only_at_once : first_of_all {
    static constexpr bool in_stages = false;
};

struct no_id {
    void reduce(std::span<const std::span<const float>>, std::span<const double>,
                std::span<float>) const
    {
    }
};

}  // namespace

TEST_CASE("the library's operations and users' own satisfy the concept")
{
    static_assert(operation<sum, float> && operation<sum, int> && operation<mean, bf16>);
    static_assert(operation<weighted_mean, double> && operation<prod, unsigned char>);
    static_assert(operation<papilio::min, f16> && operation<papilio::max, long>);
    static_assert(operation<first_of_all, float>);
    static_assert(!operation<no_id, float> && !operation<sum, bool> && !operation<int, float>);
    SUCCEED();
}

TEST_CASE("an operation that is wrong in stages says so")
{
    static_assert(detail::suits_stages<sum>() && detail::suits_stages<weighted_mean>());
    static_assert(detail::suits_stages<first_of_all>());
    static_assert(!detail::suits_stages<exact_mean>());
    static_assert(!detail::suits_stages<exact_mean>());
    static_assert(!detail::suits_stages<only_at_once>());
    SUCCEED();
}

TEST_CASE("an operation that does not take every element says which it takes")
{
    static_assert(detail::operation_takes<sum, int>() && detail::operation_takes<mean, bf16>());
    static_assert(detail::operation_takes<first_of_all, int>());
    static_assert(!detail::operation_takes<mean, int>());
    static_assert(!detail::operation_takes<weighted_mean, long>());
    static_assert(!detail::operation_takes<exact_mean, bf16>());
    static_assert(detail::operation_takes<exact_mean, f16>());
    SUCCEED();
}

TEST_CASE("ids of operations never change, since peers of other contributions read them")
{
    CHECK(static_cast<int>(sum::id) == 1);
    CHECK(static_cast<int>(mean::id) == 2);
    CHECK(static_cast<int>(weighted_mean::id) == 3);
    CHECK(static_cast<int>(papilio::min::id) == 4);
    CHECK(static_cast<int>(papilio::max::id) == 5);
    CHECK(static_cast<int>(prod::id) == 6);
    CHECK(static_cast<int>(op_id::first_user) == 128);
}
