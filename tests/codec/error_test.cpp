// What each codec loses, beside what it was designed to lose: squared error over squares, and the
// bias of numbers with an offset.

#include <papilio/codec.hpp>

#include "contract/codec_contract.hpp"

using namespace papilio;
using namespace papilio::codec_testing;

namespace {

/// Of heavy tails a few outliers decide, and a million numbers hold too few of them for the error
/// of some codecs to settle: for those only a bound is checked.
template <class Codec>
void check(const char* name, double normal, double heavy, bool settles, const Codec& codec = {})
{
    CAPTURE(name);
    CHECK(error_of_normal_numbers(codec) == Approx(normal).epsilon(0.05));
    const double error = error_of_heavy_tails(codec);
    if (settles)
        CHECK(error == Approx(heavy).epsilon(0.05));
    else
        CHECK(error < heavy * 1.05);
}

/// The bias of numbers with mean 1 and deviation 0.3, and the least that a million of them show.
template <class Codec>
void check_bias(const char* name, double expected, double noise, const Codec& codec = {})
{
    CAPTURE(name);
    CHECK(bias_of_normal_numbers(1, 0.3, codec) == Approx(expected).epsilon(0.05).margin(noise));
}

}  // namespace

TEST_CASE("every codec loses what the reference says, of normal numbers and of heavy tails")
{
    check<as_f16>("as_f16", 4.3e-8, 4.4e-8, true);
    check<f16b>("f16b", 4.3e-8, 4.4e-8, true);
    check<as_bf16>("as_bf16", 2.8e-6, 2.8e-6, true);
    check<fp8<e4m3>>("fp8<e4m3>", 6.6e-4, 4.9e-4, true);
    check<fp8<e5m2>>("fp8<e5m2>", 2.6e-3, 2.0e-3, true);
    check<int8b>("int8b", 4.2e-5, 2.0e-4, false);
    check<int4b<32>>("int4b<32>", 9.5e-3, 2.1e-2, true);
    check<int4b<128>>("int4b<128>", 1.4e-2, 5.0e-2, true);
    check<nf4b>("nf4b", 8.5e-3, 1.5e-2, true);
    check<fp4>("fp4", 9.0e-3, 8.1e-3, true);
    check<sign1>("sign1", 0.363, 0.60, true);
    check<topk<64>>("topk", 0.881, 0.588, true);
    check<topk<64, two_bit_values>>("topk, 2 bits", 0.882, 0.75, false);
    check<topk<64, sign_values>>("topk, signs", 0.882, 0.70, true);
    check<randk<64>>("randk", 0.984, 0.984, true, {.seed = 1});
    check<stochastic<int8b>>("stochastic<int8b>", 8.4e-5, 4.0e-4, false);
    check<stochastic<int4b<128>>>("stochastic<int4b<128>>", 2.8e-2, 0.11, true);
    check<centred<nf4b>>("centred<nf4b>", 8.5e-3, 1.5e-2, true);
    check<centred<fp4>>("centred<fp4>", 9.0e-3, 8.1e-3, true);
    check<hivemind::float16>("hivemind's float16", 4.3e-8, 4.4e-8, true);
    check<hivemind::meanstd16>("hivemind's meanstd16", 4.3e-8, 4.4e-8, true);
    check<hivemind::uniform8>("hivemind's uniform8", 2.43e-4, 0.108, false);
    check<hivemind::quantile8>("hivemind's quantile8", 6.7e-4, 0.090, false);
    check<hivemind::blockwise8>("hivemind's blockwise8", 1.7e-4, 3.9e-4, true);
}

TEST_CASE("every codec has the bias that the reference says")
{
    check_bias<as_f16>("as_f16", 0, 6e-7);
    check_bias<f16b>("f16b", 0, 6e-7);
    check_bias<as_bf16>("as_bf16", -3.1e-6, 6e-6);
    check_bias<fp8<e4m3>>("fp8<e4m3>", -6.4e-4, 8e-5);
    check_bias<fp8<e5m2>>("fp8<e5m2>", -2.7e-3, 2e-4);
    check_bias<int8b>("int8b", 1.8e-5, 1e-5);
    check_bias<int4b<32>>("int4b<32>", 5.2e-4, 2e-4);
    check_bias<int4b<128>>("int4b<128>", 2.0e-4, 2e-4);
    check_bias<nf4b>("nf4b", -7.5e-3, 2e-4);
    check_bias<fp4>("fp4", -9.2e-3, 3e-4);
    check_bias<sign1>("sign1", -8.5e-4, 1e-4);
    check_bias<topk<64>>("topk", -0.97, 1e-3);
    check_bias<randk<64>>("randk", -0.98, 1e-3);
    check_bias<stochastic<int8b>>("stochastic<int8b>", 0, 2e-5);
    check_bias<stochastic<int4b<32>>>("stochastic<int4b<32>>", 0, 3e-4);
    check_bias<centred<nf4b>>("centred<nf4b>", 0, 1e-8);
    check_bias<centred<fp4>>("centred<fp4>", 0, 1e-8);
    check_bias<hivemind::float16>("hivemind's float16", 0, 6e-7);
    check_bias<hivemind::meanstd16>("hivemind's meanstd16", 0, 2e-7);
    check_bias<hivemind::uniform8>("hivemind's uniform8", 0, 1e-8);
    check_bias<hivemind::quantile8>("hivemind's quantile8", 0, 1e-8);
    check_bias<hivemind::blockwise8>("hivemind's blockwise8", 0, 3e-5);
}

TEST_CASE("a codec's bias depends on the data, and is small where that has no offset")
{
    CHECK(bias_of_normal_numbers<nf4b>(1, 0.1) == Approx(-1.9e-2).epsilon(0.05));
    CHECK(bias_of_normal_numbers<fp4>(1, 0.1) == Approx(8.0e-3).epsilon(0.05));
    CHECK(bias_of_normal_numbers<nf4b>(0, 1) == Approx(7.5e-4).margin(3e-4));
    CHECK(bias_of_normal_numbers<fp4>(0, 1) == Approx(0).margin(3e-4));
    CHECK(bias_of_normal_numbers<int4b<32>>(0, 1) == Approx(0).margin(3e-4));
}
