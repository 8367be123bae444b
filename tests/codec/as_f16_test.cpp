#include <papilio/codec/as_f16.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("as_f16 keeps finite numbers finite", "", float, double)
{
    constexpr auto most = std::numeric_limits<TestType>::max();
    const std::vector<TestType> values{most, -most, TestType(65520)};
    const auto back = decoded<TestType>(as_f16{}, encoded(as_f16{}, values), 3);
    CHECK(back == std::vector<TestType>{65504, -65504, 65504});
}

TEST_CASE("as_f16 is exact under powers of two, and as precise as its bits allow")
{
    check_powers_of_two<as_f16, float>(0, 12);
    CHECK(error_of_normal_numbers<as_f16>() == Approx(4.3e-8).epsilon(0.05));
}
