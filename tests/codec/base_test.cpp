#include <papilio/codec.hpp>

#include <catch2/catch.hpp>

using namespace papilio;

TEST_CASE("the library's codecs satisfy the concept for the elements that they take")
{
    static_assert(codec<identity, std::int8_t> && codec<identity, bf16>);
    static_assert(codec<as_f16, float> && codec<as_bf16, double> && codec<int8b, float>);
    static_assert(!codec<int, float>);
    static_assert(identity::lossless && !as_f16::lossless && !as_bf16::lossless &&
                  !int8b::lossless);
    static_assert(sliced_codec<as_f16, float> && sliced_codec<int8b, double>);
    static_assert(sliced_codec<int4b<32>, float> && !sliced_codec<identity, float>);
    static_assert(sliced_codec<nf4b, float> && sliced_codec<fp8<e4m3>, double>);
    static_assert(sliced_codec<fp4, float> && sliced_codec<sign1, float>);
    static_assert(sliced_codec<stochastic<int8b>, float>);
    SUCCEED();
}

TEST_CASE("ids of codecs never change, since peers of other versions read them")
{
    CHECK(static_cast<int>(identity::id) == 1);
    CHECK(static_cast<int>(as_f16::id) == 2);
    CHECK(static_cast<int>(as_bf16::id) == 3);
    CHECK(static_cast<int>(int8b::id) == 4);
    CHECK(static_cast<int>(int4b<32>::id) == 5);
    CHECK(static_cast<int>(int4b<128>::id) == 6);
    CHECK(static_cast<int>(nf4b::id) == 8);
    CHECK(static_cast<int>(fp8<e4m3>::id) == 9);
    CHECK(static_cast<int>(fp8<e5m2>::id) == 10);
    CHECK(static_cast<int>(fp4::id) == 11);
    CHECK(static_cast<int>(sign1::id) == 12);
    CHECK(static_cast<int>(topk<64>::id) == 13);
    CHECK(static_cast<int>(randk<64>::id) == 14);
    CHECK(static_cast<int>(codec_id::first_user) == 128);
}

TEST_CASE("codecs have names for people")
{
    CHECK(std::string(papilio::name(papilio::codec_id::int8b)) == "int8b");
    CHECK(std::string(papilio::name(papilio::codec_id{200})) == "a user's codec");
    CHECK(std::string(papilio::name(papilio::codec_id{100})) == "unknown");
    CHECK(std::string(papilio::name(papilio::codec_id{0})) == "unknown");
}
