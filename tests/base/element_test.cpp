#include <papilio/base/element.hpp>

#include <catch2/catch.hpp>

#include <string_view>

using namespace papilio;

TEST_CASE("elements are the numbers of 8 to 64 bits and nothing else")
{
    static_assert(element<float> && element<double> && element<f16> && element<bf16>);
    static_assert(element<std::int8_t> && element<std::uint64_t> && element<long long>);
    static_assert(!element<bool> && !element<char> && !element<wchar_t> && !element<long double>);
    static_assert(!element<const float> && !element<float*> && !element<element_type>);
    static_assert(floating_element<bf16> && !floating_element<int>);
    static_assert(integer_element<int> && !integer_element<f16>);
    SUCCEED();
}

TEST_CASE("integers of the same size and sign share a wire code")
{
    static_assert(element_type_of<long> == element_type_of<long long>);
    static_assert(element_type_of<std::int64_t> == element_type::i64);
    static_assert(element_type_of<unsigned char> == element_type::u8);
    static_assert(element_type_of<short> == element_type::i16);
    static_assert(element_type_of<unsigned> == element_type::u32);
    SUCCEED();
}

TEST_CASE("only 16-bit floats are added up in another type")
{
    static_assert(std::same_as<accumulator_t<f16>, float>);
    static_assert(std::same_as<accumulator_t<bf16>, float>);
    static_assert(std::same_as<accumulator_t<float>, float>);
    static_assert(std::same_as<accumulator_t<double>, double>);
    static_assert(std::same_as<accumulator_t<std::int8_t>, std::int8_t>);
    SUCCEED();
}

TEST_CASE("wire codes of element types never change, since peers of other versions read them")
{
    CHECK(static_cast<int>(element_type_of<float>) == 1);
    CHECK(static_cast<int>(element_type_of<double>) == 2);
    CHECK(static_cast<int>(element_type_of<f16>) == 3);
    CHECK(static_cast<int>(element_type_of<bf16>) == 4);
    CHECK(static_cast<int>(element_type_of<std::int8_t>) == 5);
    CHECK(static_cast<int>(element_type_of<std::int64_t>) == 8);
    CHECK(static_cast<int>(element_type_of<std::uint8_t>) == 9);
    CHECK(static_cast<int>(element_type_of<std::uint64_t>) == 12);
}

TEST_CASE("each element type has a name of its own")
{
    CHECK(std::string_view(name(element_type_of<bf16>)) == "bf16");
    CHECK(std::string_view(name(element_type_of<std::uint16_t>)) == "u16");
    CHECK(std::string_view(name(element_type{200})) == "unknown");
    for (int a = 1; a <= 12; ++a)
        for (int b = 1; b <= 12; ++b)
            CHECK((a == b) == (std::string_view(name(element_type(a))) == name(element_type(b))));
}
