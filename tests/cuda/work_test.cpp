#include <papilio/cuda/work.cuh>

#include "cuda/emulation.hpp"
#include "cuda/inputs.hpp"

#include <papilio/codec.hpp>

#include <catch2/catch.hpp>

#include <cstring>

using namespace papilio;
using namespace papilio::cuda_testing;
namespace kernels = papilio::cuda::detail;

namespace {

/// Memory at an address that is `offset` beyond a multiple of 64, and ends where it must.
template <class T>
class placed {
public:
    placed(std::size_t size, std::size_t offset)
        : room_(size * sizeof(T) + 64 + offset, std::byte{0x5a}), size_(size)
    {
        const auto at = reinterpret_cast<std::uintptr_t>(room_.data());
        begin_ = (64 - at % 64) % 64 + offset;
    }
    placed(std::span<const T> from, std::size_t offset) : placed(from.size(), offset)
    {
        if (!from.empty()) std::memcpy(data(), from.data(), from.size_bytes());
    }
    T* data() { return reinterpret_cast<T*>(room_.data() + begin_); }
    std::span<T> all() { return {data(), size_}; }
    std::size_t size() const { return size_; }

    bool operator==(std::span<const T> other)
    {
        return size_ == other.size() &&
               (size_ == 0 || std::memcmp(data(), other.data(), other.size_bytes()) == 0);
    }

private:
    std::vector<std::byte> room_;
    std::size_t begin_ = 0;
    std::size_t size_;
};

/// Calls `visit(codec)` for every codec that has kernels and can bring a result back.
template <class Visit>
void for_each_dense_codec(Visit visit)
{
    visit(identity{});
    visit(as_f16{});
    visit(as_bf16{});
    visit(int8b{});
    visit(int4b<32>{});
    visit(int4b<128>{});
    visit(fp8<e4m3>{});
    visit(fp8<e5m2>{});
}

template <class Visit>
void for_each_sparse_codec(Visit visit)
{
    visit(topk<64>{});
    visit(topk<1, half_values, packed_places, 1024>{});
    visit(topk<40, two_bit_values>{});
    visit(topk<300, sign_values, packed_places, 512>{});
    visit(topk<256, half_values, packed_places, 256>{});
}

template <class Visit>
void for_each_codec(Visit visit)
{
    for_each_dense_codec(visit);
    for_each_sparse_codec(visit);
}

template <class Codec>
bool encode(Codec codec, std::span<const float> values, std::vector<std::byte>& encoded)
{
    encoded.assign(codec.template bound<float>(values.size()), std::byte{0x5a});
    try {
        codec.encode(values, encoded);
        return true;
    } catch (const std::system_error& failure) {
        REQUIRE(failure.code() == make_error_code(errc::not_finite));
        return false;
    }
}

template <class Codec>
bool decode(Codec codec, bytes encoded, std::span<float> values)
{
    try {
        codec.decode(encoded, values);
        return true;
    } catch (const std::system_error& failure) {
        REQUIRE(failure.code() == make_error_code(errc::bad_message));
        return false;
    }
}

/// Equal bits, or NaN both: which NaN a sum becomes, machines do not agree on.
void require_same_sums(std::span<const float> a, std::span<const float> b)
{
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        const bool nan = a[i] != a[i] && b[i] != b[i];
        if (!nan && std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]))
            FAIL("sum " << i << " of " << a.size() << ": " << a[i] << " is not " << b[i]);
    }
}

template <class Codec>
void compare_decoding(Codec codec, std::span<const std::byte> encoded, std::size_t n,
                      std::size_t offset, bool backwards)
{
    std::vector<float> expected(n);
    const bool plausible = decode(codec, encoded, expected);
    placed<std::byte> from(encoded, offset);
    placed<float> decoded(n, offset / 4 * 4);
    cuda::flag refused = 0;
    emulate(kernels::decode_work<false>(codec, bytes(from.all()), decoded.all(), &refused), n,
            backwards);
    REQUIRE(refused == (plausible ? 0 : 1));
    if (!plausible) return;
    REQUIRE((decoded == expected));

    auto sums = some_input(input::normal, n, 99);
    placed<float> added(sums, offset / 4 * 4);
    emulate(kernels::decode_work<true>(codec, bytes(from.all()), added.all(), &refused), n,
            backwards);
    REQUIRE(refused == 0);
    for (std::size_t i = 0; i < n; ++i) sums[i] += expected[i];
    require_same_sums(added.all(), sums);
}

template <class Codec>
void compare_encoding(Codec codec, input kind, std::size_t n, std::size_t offset, bool backwards)
{
    CAPTURE(static_cast<int>(Codec::id), static_cast<int>(kind), n, offset, backwards);
    const auto values = some_input(kind, n, n + 1);
    std::vector<std::byte> expected;
    const bool taken = encode(codec, values, expected);

    placed<float> from(values, offset / 4 * 4);
    placed<std::byte> encoded(expected.size(), offset);
    cuda::flag refused = 0;
    emulate(kernels::encode_work(codec, from.all(), encoded.all(), &refused), n, backwards);
    REQUIRE(refused == (taken ? 0 : 1));
    if (!taken) return;
    REQUIRE((encoded == expected));
    compare_decoding(codec, expected, n, offset, backwards);
}

}  // namespace

TEST_CASE("kernels encode and decode to the bytes of the codecs")
{
    for_each_codec([](auto codec) {
        for (const auto kind : inputs)
            for (const auto n : sizes)
                for (const std::size_t offset : {0, 4, 1})
                    compare_encoding(codec, kind, n, offset, offset == 4);
    });
}

TEST_CASE("kernels refuse the bytes that the codecs refuse")
{
    papilio::random numbers(1);
    for_each_codec([&](auto codec) {
        for (int repeat = 0; repeat < 400; ++repeat) {
            const auto n = sizes[numbers.below(std::size(sizes) - 1) + 1];
            const auto kind = inputs[numbers.below(11)];
            std::vector<std::byte> encoded;
            encode(codec, some_input(kind, n, numbers()), encoded);
            // Codes, padding and scales alike; zero, all ones and the sign are likely.
            for (auto damages = numbers.below(3); damages > 0; --damages) {
                const std::byte likely[] = {std::byte{0}, std::byte{0xff}, std::byte{0x80},
                                            static_cast<std::byte>(numbers())};
                const auto from_end = numbers.below(2) == 0 ? encoded.size() : 4;
                const auto at =
                    encoded.size() - 1 - numbers.below(std::min(from_end, encoded.size()));
                encoded[at] = likely[numbers.below(4)];
            }
            CAPTURE(static_cast<int>(codec.id), n, repeat);
            compare_decoding(codec, encoded, n, numbers.below(2), repeat % 2 == 0);
        }
    });
}

namespace {

template <class Op, class From, class Back>
void compare_reducing(Op op, From from, Back back, std::size_t peers, std::size_t n,
                      std::size_t offset)
{
    CAPTURE(static_cast<int>(From::id), static_cast<int>(Back::id), peers, n, offset);
    std::vector<std::vector<float>> decoded;
    std::vector<placed<std::byte>> encoded;
    std::vector<double> weights;
    for (std::size_t k = 0; k < peers; ++k) {
        const auto kind = k % 2 == 0 ? input::normal : input::spread;
        std::vector<std::byte> made;
        REQUIRE(encode(from, some_input(kind, n, 10 * n + k), made));
        decoded.emplace_back(n);
        REQUIRE(decode(from, made, decoded.back()));
        encoded.emplace_back(made, offset);
        weights.push_back(0.3 * static_cast<double>(k + 1));
    }
    const std::vector<std::span<const float>> spans(decoded.begin(), decoded.end());
    std::vector<float> expected(n), result(n);
    op.reduce(std::span<const std::span<const float>>(spans), weights, std::span<float>(expected));
    std::vector<std::byte> travels;
    REQUIRE(encode(back, expected, travels));
    REQUIRE(decode(back, travels, result));

    std::vector<bytes> contributions;
    for (auto& one : encoded) contributions.emplace_back(one.all());
    std::vector<cuda::flag> refused(peers + 1);
    placed<float> out(n, offset / 4 * 4);
    const auto reduce = [&](mutable_bytes output, std::span<float> into) {
        emulate(kernels::reduce_work(op, from, back, n, contributions, weights, output, into,
                                     refused.data()),
                n, offset != 0);
        for (const auto flag : refused) REQUIRE(flag == 0);
    };
    reduce({}, out.all());
    REQUIRE((out == expected));
    placed<std::byte> output(travels.size(), offset);
    reduce(output.all(), out.all());
    REQUIRE((output == travels));
    REQUIRE((out == result));
    placed<std::byte> alone(travels.size(), offset);
    reduce(alone.all(), {});
    REQUIRE((alone == travels));
}

}  // namespace

TEST_CASE("kernels reduce and encode to the bytes of operation and codec")
{
    for_each_dense_codec([](auto codec) {
        for (const std::size_t n : {1u, 33u, 128u, 513u, 1100u}) {
            compare_reducing(mean{}, codec, codec, 3, n, 0);
            compare_reducing(mean{}, int4b<32>{}, codec, 8, n, 1);
        }
    });
    for_each_codec([](auto from) {
        for (const std::size_t n : {1u, 33u, 128u, 513u, 1100u, 5000u}) {
            for (const std::size_t offset : {0, 1}) {
                compare_reducing(sum{}, from, int8b{}, 1, n, offset);
                compare_reducing(weighted_mean{}, from, as_bf16{}, 5, n, offset);
            }
        }
    });
}

TEST_CASE(
    "a reducing kernel says whose contribution it refuses, and whether the result is too large")
{
    constexpr std::size_t n = 700;
    std::vector<std::vector<std::byte>> encoded(3);
    for (auto& one : encoded) encode(int8b{}, some_input(input::very_large, n, 7), one);
    const auto reduce = [&] {
        const std::vector<bytes> contributions(encoded.begin(), encoded.end());
        std::vector<cuda::flag> refused(4);
        std::vector<std::byte> output(encoded[0].size());
        emulate(kernels::reduce_work(sum{}, int8b{}, int8b{}, n, contributions, {}, output, {},
                                     refused.data()),
                n, false);
        return refused;
    };
    REQUIRE(reduce() == std::vector<cuda::flag>{0, 0, 0, 1});
    encoded[1][3] = std::byte{0x80};
    encoded[2].back() = std::byte{0x80};
    REQUIRE(reduce()[0] == 0);
    REQUIRE(reduce()[1] == 1);
    REQUIRE(reduce()[2] == 1);
}

TEST_CASE("a reducing kernel keeps the sign of zero as the codec does")
{
    // A zero that all send keeps its sign; where some send none, +0 is added.
    constexpr std::size_t n = 1024;
    using codec = topk<2, half_values, packed_places, 1024>;
    std::vector<float> both(n), one(n);
    both[0] = -0.0f;
    both[7] = one[3] = one[8] = 1;
    std::vector<std::byte> encoded[2];
    encode(codec{}, both, encoded[0]);
    encode(codec{}, one, encoded[1]);
    for (const auto& with : {0, 1}) {
        const std::vector<bytes> contributions{encoded[0], encoded[with]};
        std::vector<float> a(n), b(n), out(n);
        decode(codec{}, encoded[0], a);
        decode(codec{}, encoded[with], b);
        for (std::size_t i = 0; i < n; ++i) a[i] += b[i];
        cuda::flag refused[3] = {};
        emulate(kernels::reduce_work(sum{}, codec{}, identity{}, n, contributions, {}, {}, out,
                                     refused),
                n, false);
        require_same_sums(out, a);
    }
}

TEST_CASE("a kernel is not launched for bytes of the wrong number")
{
    std::vector<std::byte> encoded(100);
    std::vector<float> values(99);
    cuda::flag refused = 0;
    REQUIRE_THROWS_AS(kernels::decode_work<false>(int8b{}, encoded, values, &refused),
                      std::system_error);
    REQUIRE_THROWS_AS(
        kernels::reduce_work(mean{}, int8b{}, int8b{}, values.size(), {}, {}, {}, values, &refused),
        std::system_error);
}
