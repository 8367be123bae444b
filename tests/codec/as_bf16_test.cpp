#include <papilio/codec/as_bf16.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("as_bf16 keeps finite numbers finite, infinities infinite and NaN NaN", "",
                   float, double)
{
    constexpr auto most = std::numeric_limits<TestType>::max();
    constexpr auto infinity = std::numeric_limits<TestType>::infinity();
    const std::vector<TestType> values{most,     -most,     TestType(0x1.ffp127),
                                       infinity, -infinity, -NAN};
    const auto back = decoded<TestType>(as_bf16{}, encoded(as_bf16{}, values), 6);
    CHECK(back[0] == TestType(0x1.fep127));
    CHECK(back[1] == -TestType(0x1.fep127));
    CHECK(back[2] == TestType(0x1.fep127));
    CHECK(back[3] == infinity);
    CHECK(back[4] == -infinity);
    CHECK(std::isnan(back[5]));
}

TEST_CASE("as_bf16 is exact under powers of two, and as precise as its bits allow")
{
    check_powers_of_two<as_bf16, float>(-100, 120);
    CHECK(error_of_normal_numbers<as_bf16>() == Approx(2.8e-6).epsilon(0.05));
}
