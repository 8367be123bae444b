#include <papilio/codec/as_f16.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("as_f16 keeps finite numbers finite, infinities infinite and NaN NaN", "", float,
                   double)
{
    constexpr auto most = std::numeric_limits<TestType>::max();
    constexpr auto infinity = std::numeric_limits<TestType>::infinity();
    const std::vector<TestType> values{most, -most, TestType(65520), infinity, -infinity, -NAN};
    const auto back = decoded<TestType>(as_f16{}, encoded(as_f16{}, values), 6);
    CHECK(back[0] == 65504);
    CHECK(back[1] == -65504);
    CHECK(back[2] == 65504);
    CHECK(back[3] == infinity);
    CHECK(back[4] == -infinity);
    CHECK(std::isnan(back[5]));
}

TEST_CASE("as_f16 is exact under powers of two, and as precise as its bits allow")
{
    check_powers_of_two<as_f16, float>(0, 12);
    CHECK(error_of_normal_numbers<as_f16>() == Approx(4.3e-8).epsilon(0.05));
}
