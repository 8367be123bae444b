#include <papilio/collective/engine/pack.hpp>

#include <papilio/codec/identity.hpp>
#include <papilio/codec/int8b.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

using namespace papilio;
using namespace papilio::detail;
using test::thrown_by;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// What floats become where the caller's elements are `T`, as bits.
template <class T>
std::vector<std::uint16_t> narrowed_to(const std::vector<float>& wide)
{
    std::vector<T> narrow(wide.size());
    narrow_all(std::span<const float>(wide), std::span(narrow));
    std::vector<std::uint16_t> bits;
    for (const auto x : narrow) bits.push_back(std::bit_cast<std::uint16_t>(x));
    return bits;
}

using bits = std::vector<std::uint16_t>;

/// Writes where a run begins, once for each of its elements.
struct place {
    static constexpr bool lossless = true;
    std::size_t begin = 0;

    place at(std::size_t where) const { return {where}; }

    std::size_t encode(std::span<const float> values, mutable_bytes to) const
    {
        std::ranges::fill(to.first(values.size()), static_cast<std::byte>(begin));
        return values.size();
    }
    void decode(bytes encoded, std::span<float> out) const
    {
        for (const auto b : encoded)
            if (b != static_cast<std::byte>(begin))
                throw std::system_error(errc::bad_message, "it began elsewhere");
        std::ranges::fill(out, 1.0f);
    }
};

}  // namespace

TEST_CASE("elements that are carried as they are are not rounded")
{
    const std::vector<double> from{1.0 / 3, -0.0, std::numeric_limits<double>::max()};
    std::vector<double> to(3);
    narrow_all(std::span<const double>(from), std::span(to));
    CHECK(from == to);
    CHECK(std::signbit(to[1]));
}

TEST_CASE("beyond the largest 16-bit float what is finite becomes that")
{
    // From 65520 on the nearest f16 would be an infinity; the largest is 65504.
    CHECK(narrowed_to<f16>({65504, 65519, 65520, 1e30f, -1e30f}) ==
          bits{0x7bff, 0x7bff, 0x7bff, 0x7bff, 0xfbff});
    const float most = std::numeric_limits<float>::max();
    CHECK(narrowed_to<bf16>({most, -most}) == bits{0x7f7f, 0xff7f});
}

TEST_CASE("beside an infinity or a NaN all else is rounded as without it")
{
    for (const std::size_t n : {1u, 3u, 8u, 17u, 64u, 100u}) {
        std::vector<float> from(n, 1.5f);
        from.back() = 1e30f;
        from.push_back(infinity);
        from.push_back(-infinity);
        from.push_back(std::numeric_limits<float>::quiet_NaN());
        const auto halves = narrowed_to<f16>(from), brains = narrowed_to<bf16>(from);
        for (std::size_t i = 0; i + 1 < n; ++i) {
            CHECK(halves[i] == 0x3e00);
            CHECK(brains[i] == 0x3fc0);
        }
        CHECK(halves[n - 1] == 0x7bff);
        CHECK(halves[n] == 0x7c00);
        CHECK(halves[n + 1] == 0xfc00);
        CHECK((halves[n + 2] & 0x7fff) > 0x7c00);
        CHECK(brains[n] == 0x7f80);
        CHECK(brains[n + 1] == 0xff80);
        CHECK((brains[n + 2] & 0x7fff) > 0x7f80);
    }
}

TEST_CASE("halves between two of them go to the even one")
{
    // Of f16, 1 + 2^-11 lies between 1 and 1 + 2^-10, and 1 + 3 x 2^-11 between that and the next.
    CHECK(narrowed_to<f16>({1.00048828125f, 1.00146484375f}) == bits{0x3c00, 0x3c02});
}

TEST_CASE("a lossless codec is given the caller's elements and a lossy one floats")
{
    static_assert(std::same_as<carried<identity, f16>, f16>);
    static_assert(std::same_as<carried<identity, std::int32_t>, std::int32_t>);
    static_assert(std::same_as<carried<int8b, bf16>, float>);
    static_assert(std::same_as<carried<int8b, double>, double>);
    SUCCEED();
}

TEST_CASE("an empty run takes no bytes, and any are refused")
{
    mutable_bytes nowhere;
    CHECK(pack(int8b{}, 0, std::span<const float>{}, nowhere) == 0);
    CHECK(pack(identity{}, 0, std::span<const float>{}, nowhere) == 0);
    const std::vector<std::byte> some(4);
    std::span<float> none;
    CHECK_FALSE(thrown_by([&] { unpack(int8b{}, 0, {}, none); }));
    CHECK(thrown_by([&] { unpack(int8b{}, 0, some, none); }) == errc::bad_message);
    CHECK(thrown_by([&] { unpack(identity{}, 0, some, none); }) == errc::bad_message);
}

TEST_CASE("a codec is told where a run begins, both ways")
{
    const std::vector<float> run(3);
    std::vector<std::byte> encoded(3);
    CHECK(pack(place{}, 77, std::span(run), encoded) == 3);
    CHECK(encoded == std::vector<std::byte>(3, std::byte{77}));
    std::vector<float> out(3);
    CHECK_FALSE(thrown_by([&] { unpack(place{}, 77, encoded, std::span(out)); }));
    CHECK(thrown_by([&] { unpack(place{}, 76, encoded, std::span(out)); }) == errc::bad_message);
}

TEMPLATE_TEST_CASE("bytes of another number of elements are refused", "", float, f16, double)
{
    std::vector<TestType> out(3);
    std::vector<std::byte> encoded(3 * sizeof(TestType));
    const std::span to(out);
    CHECK_FALSE(thrown_by([&] { unpack(identity{}, 0, encoded, to); }));
    encoded.push_back({});
    CHECK(thrown_by([&] { unpack(identity{}, 0, encoded, to); }) == errc::bad_message);
    encoded.resize(3 * sizeof(TestType) - 1);
    CHECK(thrown_by([&] { unpack(identity{}, 0, encoded, to); }) == errc::bad_message);
    CHECK(thrown_by([&] { unpack(identity{}, 0, {}, to); }) == errc::bad_message);

    encoded.resize(int8b{}.bound<carried<int8b, TestType>>(3) + 1);
    CHECK(thrown_by([&] { unpack(int8b{}, 0, encoded, to); }) == errc::bad_message);
    CHECK(thrown_by([&] { unpack(int8b{}, 0, {}, to); }) == errc::bad_message);
}

TEST_CASE("16-bit floats travel by a lossy codec as the floats they are")
{
    std::vector<float> wide(200);
    std::iota(wide.begin(), wide.end(), -100.0f);
    std::vector<bf16> narrow(200);
    std::ranges::transform(wide, narrow.begin(), [](float x) { return static_cast<bf16>(x); });
    std::vector<std::byte> a(int8b{}.bound<float>(200)), b(a.size());
    CHECK(pack(int8b{}, 0, std::span<const float>(wide), a) ==
          pack(int8b{}, 0, std::span<const bf16>(narrow), b));
    CHECK(a == b);

    std::vector<float> decoded(200);
    unpack(int8b{}, 0, a, std::span(decoded));
    unpack(int8b{}, 0, b, std::span(narrow));
    const auto rounded = narrowed_to<bf16>(decoded);
    for (std::size_t i = 0; i < 200; ++i)
        CHECK(std::bit_cast<std::uint16_t>(narrow[i]) == rounded[i]);
}
