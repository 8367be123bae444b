#include <papilio/codec/as_bf16.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

TEMPLATE_TEST_CASE("as_bf16 keeps finite numbers finite", "", float, double)
{
    constexpr auto most = std::numeric_limits<TestType>::max();
    const std::vector<TestType> values{most, -most, TestType(0x1.ffp127)};
    const auto back = decoded<TestType>(as_bf16{}, encoded(as_bf16{}, values), 3);
    CHECK(back == std::vector<TestType>{0x1.fep127, -0x1.fep127, 0x1.fep127});
}

TEST_CASE("as_bf16 is exact under powers of two, and as precise as its bits allow")
{
    check_powers_of_two<as_bf16, float>(-100, 120);
    CHECK(error_of_normal_numbers<as_bf16>() == Approx(2.8e-6).epsilon(0.05));
}
