#pragma once

#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/finite.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

// What every codec must keep. A codec's own test calls `codec_contract<Codec, V>()` for each
// element type that it takes, and the checks of symmetry where it promises that too.
namespace papilio::codec_testing {

struct named_input {
    std::string name;
    std::vector<double> values;
};

/// Inputs of `n` finite numbers, each of a kind that some codec once got wrong.
inline std::vector<named_input> finite_inputs(std::size_t n)
{
    constexpr double largest = std::numeric_limits<float>::max();
    constexpr double tiniest = std::numeric_limits<float>::denorm_min();
    random numbers(n);
    const auto made = [n](auto make) {
        std::vector<double> values(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = make(i);
        return values;
    };
    return {
        {"zeros", made([](auto) { return 0.0; })},
        {"zeros of both signs", made([](auto i) { return i % 2 == 0 ? 0.0 : -0.0; })},
        {"a constant", made([](auto) { return 0.7f; })},
        {"alternating signs", made([](auto i) { return i % 2 == 0 ? 1.3f : -1.3f; })},
        {"normal numbers", made([&](auto) { return static_cast<float>(numbers.normal()); })},
        {"one outlier", made([n](auto i) { return i == n / 2 ? 1e6f : 1e-3f; })},
        {"subnormal numbers", made([](auto i) { return tiniest * static_cast<double>(i); })},
        {"the largest numbers", made([](auto i) { return i % 3 == 0 ? -largest : largest; })},
        {"every magnitude", made([&](auto) {
             const auto exponent = static_cast<int>(numbers.below(270)) - 145;
             return static_cast<float>(std::ldexp(numbers.uniform() - 0.5, exponent));
         })},
        {"numbers with few bits", made([&](auto) {
             return static_cast<float>(bf16(static_cast<float>(numbers.normal())));
         })},
    };
}

template <class V>
std::vector<V> as(const std::vector<double>& values)
{
    std::vector<V> result;
    for (const double x : values) {
        if constexpr (floating_element<V>)
            result.push_back(static_cast<V>(static_cast<float>(x)));
        else
            result.push_back(static_cast<V>(static_cast<std::int64_t>(std::fmod(x * 100, 1e15))));
    }
    return result;
}

template <class Codec, class V>
std::vector<std::byte> encoded(const Codec& codec, const std::vector<V>& values)
{
    std::vector<std::byte> output(codec.template bound<V>(values.size()));
    output.resize(codec.encode(std::span<const V>(values), mutable_bytes(output)));
    return output;
}

template <class V, class Codec>
std::vector<V> decoded(const Codec& codec, const std::vector<std::byte>& bytes, std::size_t n)
{
    std::vector<V> out(n);
    codec.decode(papilio::bytes(bytes), std::span<V>(out));
    return out;
}

template <class V>
bool same_bits(const std::vector<V>& a, const std::vector<V>& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(V)) == 0);
}

/// Whether decoding throws `errc::bad_message`; fails the test if it throws anything else, or if a
/// lossy codec decodes what is not finite.
template <class V, class Codec>
bool refuses(const Codec& codec, const std::vector<std::byte>& bytes, std::size_t n)
{
    try {
        const auto out = decoded<V>(codec, bytes, n);
        if constexpr (!Codec::lossless) CHECK(detail::all_finite(out));
    } catch (const std::system_error& error) {
        CHECK(error.code() == errc::bad_message);
        return true;
    }
    return false;
}

inline std::vector<std::byte> octets(std::initializer_list<int> values)
{
    std::vector<std::byte> result;
    for (const int value : values) result.push_back(static_cast<std::byte>(value));
    return result;
}

/// Wherever it stands, `bad` is refused with `errc::not_finite`.
template <class Codec>
void check_not_finite(float bad, const Codec& codec = {})
{
    for (const std::size_t at : {0u, 31u, 127u, 128u, 299u}) {
        std::vector<float> values(300, 1.0f);
        values[at] = bad;
        try {
            encoded(codec, values);
            FAIL("encoded " << bad);
        } catch (const std::system_error& error) {
            CHECK(error.code() == errc::not_finite);
        }
    }
}

template <class Codec>
std::vector<std::size_t> delicate_sizes()
{
    const auto g = std::min<std::size_t>(Codec::granule, 4096);  // of a run that cannot be cut, too
    return {0, 1, 2, g - 1, g, g + 1, 2 * g, 127, 128, 129, 3 * g + 5, 1000};
}

template <class Codec, class V>
void check_round_trip(const Codec& codec, const std::vector<V>& values)
{
    const auto once = encoded(codec, values);
    CHECK(once.size() <= codec.template bound<V>(values.size()));
    CHECK(encoded(codec, values) == once);
    const auto back = decoded<V>(codec, once, values.size());
    if constexpr (Codec::lossless) CHECK(same_bits(back, values));
    if constexpr (floating_element<V>)
        for (std::size_t i = 0; i < back.size(); ++i)
            if (std::isfinite(static_cast<double>(values[i])))
                REQUIRE(std::isfinite(static_cast<double>(back[i])));
}

/// Bytes may lie anywhere, and nothing is written or read beside them.
template <class Codec, class V>
void check_unaligned(const Codec& codec, const std::vector<V>& values)
{
    constexpr std::byte canary{0xa5};
    const auto bound = codec.template bound<V>(values.size());
    const auto straight = encoded(codec, values);
    for (std::size_t offset = 1; offset < 4; ++offset) {
        std::vector<std::byte> field(offset + bound + 16, canary);
        const auto output = mutable_bytes(field).subspan(offset, bound);
        const auto size = codec.encode(std::span<const V>(values), output);
        CHECK(std::equal(straight.begin(), straight.end(), output.begin(),
                         output.begin() + static_cast<std::ptrdiff_t>(size)));
        for (std::size_t i = 0; i < field.size(); ++i)
            if (i < offset || i >= offset + bound) REQUIRE(field[i] == canary);

        std::vector<V> out(offset + values.size() + 1, V{});
        codec.decode(bytes(output).first(size), std::span(out).subspan(offset, values.size()));
        const auto from = out.begin() + static_cast<std::ptrdiff_t>(offset);
        const std::vector<V> middle(from, from + static_cast<std::ptrdiff_t>(values.size()));
        CHECK(same_bits(middle, decoded<V>(codec, straight, values.size())));
        CHECK(out.front() == V{});
        CHECK(out.back() == V{});
    }
}

/// A run cut at multiples of the granule decodes to the same values as the whole.
template <class Codec, class V>
void check_cuts(const Codec& codec, const std::vector<V>& values)
{
    const auto whole = decoded<V>(codec, encoded(codec, values), values.size());
    for (std::size_t step : {Codec::granule, 3 * Codec::granule}) {
        std::vector<V> pieces;
        for (std::size_t begin = 0; begin < values.size(); begin += step) {
            const auto size = std::min(step, values.size() - begin);
            const auto from = values.begin() + static_cast<std::ptrdiff_t>(begin);
            const std::vector<V> piece(from, from + static_cast<std::ptrdiff_t>(size));
            const auto there = detail::codec_at(codec, begin);
            for (const auto x : decoded<V>(there, encoded(there, piece), size)) pieces.push_back(x);
        }
        CHECK(same_bits(pieces, whole));
    }
}

/// Slice by slice, a run is written and read as it is at once, and adding a slice is adding what it
/// decodes to.
template <class Codec, class V>
void check_slices(const Codec& codec, const std::vector<V>& values)
{
    const auto n = values.size();
    const auto whole = encoded(codec, values);
    REQUIRE(whole.size() == codec.template bound<V>(n));
    const auto expected = decoded<V>(codec, whole, n);
    for (std::size_t step : {Codec::granule, 3 * Codec::granule}) {
        std::vector<std::byte> output(whole.size());
        std::vector<V> out(n), sums(n, V(0.75)), expected_sums(n, V(0.75));
        for (std::size_t begin = 0; begin < n; begin += step) {
            const auto size = std::min(step, n - begin);
            codec.encode_slice(std::span(values).subspan(begin, size), begin, n, output);
            const auto slice = std::span(out).subspan(begin, size);
            codec.decode_slice(bytes(whole), begin, n, slice);
            codec.accumulate_slice(bytes(whole), begin, n, std::span(sums).subspan(begin, size));
            for (auto i = begin; i < begin + size; ++i) expected_sums[i] += expected[i];
        }
        CHECK(output == whole);
        CHECK(same_bits(out, expected));
        CHECK(same_bits(sums, expected_sums));
    }
}

/// Whatever arrives, decoding throws `errc::bad_message` or fills the span, and what lossy codecs
/// decode is finite.
template <class Codec, class V>
void check_hostile_bytes(const Codec& codec)
{
    random numbers(1);
    for (std::size_t n : delicate_sizes<Codec>()) {
        auto honest = encoded(codec, std::vector<V>(n));
        honest.push_back(std::byte{0});
        CHECK(refuses<V>(codec, honest, n));
        honest.resize(honest.size() - std::min<std::size_t>(honest.size(), 2));
        if (n > 0) CHECK(refuses<V>(codec, honest, n));
        for (int round = 0; round < 100; ++round) {
            std::vector<std::byte> bytes(codec.template bound<V>(n));
            for (auto& b : bytes) b = static_cast<std::byte>(numbers());
            refuses<V>(codec, bytes, n);
        }
    }
}

template <class Codec, class V>
void codec_contract(const Codec& codec = {})
{
    static_assert(papilio::codec<Codec, V>);
    static_assert(Codec::granule > 0 && static_cast<int>(Codec::id) > 0);
    for (std::size_t n : delicate_sizes<Codec>()) {
        for (const auto& input : finite_inputs(n)) {
            INFO(input.name << ", n = " << n);
            const auto values = as<V>(input.values);
            check_round_trip(codec, values);
            check_unaligned(codec, values);
            check_cuts(codec, values);
            if constexpr (sliced_codec<Codec, V>) check_slices(codec, values);
        }
    }
    check_hostile_bytes<Codec, V>(codec);
    if constexpr (!Codec::lossless)
        for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) check_not_finite(bad, codec);
}

/// Decoding what was encoded of -x gives minus what x gives.
template <class Codec, class V>
void check_odd_symmetry(const Codec& codec = {})
{
    for (const auto& input : finite_inputs(1000)) {
        INFO(input.name);
        auto values = as<V>(input.values);
        auto expected = decoded<V>(codec, encoded(codec, values), values.size());
        for (auto& x : values) x = -x;
        for (auto& x : expected) x = -x;
        CHECK(decoded<V>(codec, encoded(codec, values), values.size()) == expected);
    }
}

/// Twice the input gives twice the output, exactly, while neither leaves the codec's range.
template <class Codec, class V>
void check_powers_of_two(int smallest, int largest, const Codec& codec = {})
{
    random numbers(2);
    std::vector<V> values(1000);
    for (auto& x : values) x = static_cast<V>(numbers.normal());
    const auto straight = decoded<V>(codec, encoded(codec, values), values.size());
    for (int exponent = smallest; exponent <= largest; ++exponent) {
        auto scaled = values, expected = straight;
        for (auto& x : scaled) x = std::ldexp(x, exponent);
        for (auto& x : expected) x = std::ldexp(x, exponent);
        CHECK(decoded<V>(codec, encoded(codec, scaled), scaled.size()) == expected);
    }
}

/// Box and Muller's, as the sum of uniform numbers lacks the bell's far tails.
inline double truly_normal(random& numbers)
{
    const double radius = std::sqrt(-2 * std::log(1 - numbers.uniform()));
    return radius * std::cos(6.283185307179586 * numbers.uniform());
}

template <class Codec>
double relative_error(const Codec& codec, const std::vector<float>& values)
{
    const auto back = decoded<float>(codec, encoded(codec, values), values.size());
    double error = 0, square = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = values[i], off = x - static_cast<double>(back[i]);
        error += off * off;
        square += x * x;
    }
    return error / square;
}

/// A million, which take longer to make than most codecs take for them: each kind is made once in a
/// process, whatever the number of codecs.
inline const std::vector<double>& million_normal_numbers(std::uint64_t seed)
{
    static std::map<std::uint64_t, std::vector<double>> made;
    std::vector<double>& values = made[seed];
    if (!values.empty()) return values;
    random numbers(seed);
    values.resize(std::size_t{1} << 20);
    for (auto& x : values) x = truly_normal(numbers);
    return values;
}

/// The squared error of a million normal numbers over their squares.
template <class Codec>
double error_of_normal_numbers(const Codec& codec = {})
{
    const auto& normal = million_normal_numbers(3);
    return relative_error(codec, std::vector<float>(normal.begin(), normal.end()));
}

/// The bias: the mean of what is decoded less the mean of what was encoded, of a million normal
/// numbers.
template <class Codec>
double bias_of_normal_numbers(double mean, double deviation, const Codec& codec = {})
{
    const auto& normal = million_normal_numbers(6);
    std::vector<float> values(normal.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(mean + deviation * normal[i]);
    const auto back = decoded<float>(codec, encoded(codec, values), values.size());
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
        sum += static_cast<double>(back[i]) - static_cast<double>(values[i]);
    return sum / static_cast<double>(values.size());
}

/// A million numbers of Student's t with three degrees of freedom, whose tails are heavy.
inline const std::vector<float>& numbers_with_heavy_tails()
{
    static std::vector<float> values;
    if (!values.empty()) return values;
    random numbers(4);
    values.resize(std::size_t{1} << 20);
    for (auto& x : values) {
        double squares = 0;
        for (int i = 0; i < 3; ++i) squares += std::pow(truly_normal(numbers), 2);
        x = static_cast<float>(truly_normal(numbers) / std::sqrt(squares / 3));
    }
    return values;
}

/// The squared error of such numbers over their squares.
template <class Codec>
double error_of_heavy_tails(const Codec& codec = {})
{
    return relative_error(codec, numbers_with_heavy_tails());
}

}  // namespace papilio::codec_testing
