#include <papilio/codec/residuals.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace papilio;

namespace {

template <class Stored>
std::vector<float> sums(const residuals<Stored>& memory)
{
    std::vector<float> result(memory.size());
    memory.add(0, std::span<const float>(std::vector<float>(memory.size())), std::span(result));
    return result;
}

const std::vector<float> some{1, -2, 0.5f};

}  // namespace

TEMPLATE_TEST_CASE("what is proposed holds once it is committed, and never if it is rolled back",
                   "", float, bf16, std::int8_t)
{
    residuals<TestType> memory(3, {.scale = 0.25f});
    CHECK(sums(memory) == std::vector<float>(3));
    memory.propose(0, some);
    CHECK(sums(memory) == std::vector<float>(3));
    memory.commit();
    CHECK(sums(memory) == some);
    memory.propose(1, std::vector<float>{7, 8});
    memory.rollback();
    memory.commit();
    CHECK(sums(memory) == some);
    memory.propose(2, std::vector<float>{3});
    memory.commit();
    CHECK(sums(memory) == std::vector<float>{1, -2, 3});
}

TEST_CASE("residuals fade by beta, and what did not arrive stays whole")
{
    residuals<float> memory(3, {.beta = 0.5f});
    memory.propose(0, some);
    memory.commit();
    CHECK(sums(memory) == std::vector<float>{0.5f, -1, 0.25f});
    memory.propose(0, std::vector<float>{9, 9, 9});
    memory.undelivered(1, std::span<const double>(std::vector<double>{10, 20}));
    memory.commit();
    CHECK(sums(memory) == std::vector<float>{4.5f, 4.5f, 10.125f});
}

TEST_CASE("residuals of 8 bits round to units and stop at 127 of them")
{
    residuals<std::int8_t> memory(4, {.scale = 0.5f});
    memory.propose(0, std::vector<float>{0.3f, -1000, 1000, 0.75f});
    memory.commit();
    CHECK(sums(memory) == std::vector<float>{0.5f, -63.5f, 63.5f, 1});
}

TEMPLATE_TEST_CASE("what is not finite never becomes a residual", "", float, bf16, std::int8_t)
{
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float bad : {infinity, -infinity, std::nanf("")}) {
        residuals<TestType> memory(3);
        memory.propose(0, std::vector<float>{1, 2, 3});
        memory.commit();
        const std::vector<float> values{4, bad, 5};
        try {
            memory.propose(0, values);
            FAIL("proposed " << bad);
        } catch (const std::system_error& error) {
            CHECK(error.code() == errc::not_finite);
        }
        CHECK_THROWS_AS(memory.undelivered(0, std::span<const float>(values)), std::system_error);
        memory.commit();
        CHECK(sums(memory) == std::vector<float>{1, 2, 3});
    }
}

TEST_CASE("residuals of 16 bits stay finite next to the largest floats, and none is set to a NaN")
{
    constexpr float most = std::numeric_limits<float>::max();
    residuals<bf16> memory(2);
    memory.propose(0, std::vector<float>{most, -most});
    memory.commit();
    CHECK(sums(memory) == std::vector<float>{0x1.fep127f, -0x1.fep127f});
    const std::vector<bf16> bad{bf16(1), bf16(std::nanf(""))};
    CHECK_THROWS_AS(memory.set(bad), std::system_error);
    CHECK(sums(memory) == std::vector<float>{0x1.fep127f, -0x1.fep127f});
}

TEST_CASE("residuals can be stored and set again, for a vector of the same size")
{
    residuals<bf16> memory(3);
    memory.propose(0, some);
    memory.commit();
    residuals<bf16> other(3);
    other.set(memory.values());
    CHECK(sums(other) == some);
    other.rollback();
    CHECK(sums(other) == some);
    residuals<bf16> shorter(2);
    CHECK_THROWS_WITH(shorter.set(memory.values()),
                      Catch::Contains("the number of residuals to set is 2: it is "));
}

TEST_CASE("residuals refuse options that make no sense")
{
    CHECK_THROWS_WITH(residuals<float>(1, {.beta = -1}),
                      Catch::Contains("residual_options::beta is 0 to 1: it is -1"));
    CHECK_THROWS_AS(residuals<float>(1, {.beta = std::numeric_limits<float>::quiet_NaN()}),
                    std::system_error);
    CHECK_THROWS_WITH(
        residuals<std::int8_t>(1, {.scale = 0}),
        Catch::Contains("residual_options::scale is 2^-100 or more, and finite: it is 0"));
}
