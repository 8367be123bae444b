// Decodes arbitrary bytes with each codec: it must throw `errc::bad_message` or fill exactly the
// span, lossy codecs with finite numbers only. The first byte picks the codec and the
// element, the next two say how many elements the receiver expects.

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

namespace {

using namespace papilio;

// A span in a block of its own size, so that a sanitizer sees the first byte beside it.
template <class Codec, class V>
void decode(bytes encoded, std::size_t n, const Codec& codec = {})
{
    const auto out = std::make_unique_for_overwrite<V[]>(n);
    const std::span<V> span(out.get(), n);
    try {
        codec.decode(encoded, span);
    } catch (const std::system_error& error) {
        PAPILIO_CHECK(error.code() == errc::bad_message, "decoding threw something else");
        return;
    }
    PAPILIO_CHECK(encoded.size() <= codec.template bound<V>(n), "more bytes than the bound");
    if constexpr (!Codec::lossless || detail::is_one_of<Codec, finite_only<identity>>) {
        const auto finite = [](V x) { return std::isfinite(x); };
        PAPILIO_CHECK(std::all_of(span.begin(), span.end(), finite), "decoded no number");
    }

    // What was accepted can be sent on, and decodes again.
    const auto size = codec.template bound<V>(n);
    const auto output = std::make_unique_for_overwrite<std::byte[]>(size);
    const mutable_bytes again(output.get(), size);
    codec.decode(bytes(again).first(codec.encode(std::span<const V>(span), again)), span);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3) return 0;
    const unsigned kind = data[0];
    const std::size_t n = data[1] + (std::size_t{data[2]} << 8);
    const auto encoded = std::as_bytes(std::span(data, size)).subspan(3);
    switch (kind) {
    case 0: decode<identity, float>(encoded, n); break;
    case 1: decode<identity, std::int8_t>(encoded, n); break;
    case 2: decode<as_f16, float>(encoded, n); break;
    case 3: decode<as_f16, double>(encoded, n); break;
    case 4: decode<as_bf16, float>(encoded, n); break;
    case 5: decode<as_bf16, double>(encoded, n); break;
    case 6: decode<int8b, float>(encoded, n); break;
    case 7: decode<int8b, double>(encoded, n); break;
    case 8: decode<int4b<32>, float>(encoded, n); break;
    case 9: decode<int4b<32>, double>(encoded, n); break;
    case 10: decode<int4b<128>, float>(encoded, n); break;
    case 11: decode<f16b, float>(encoded, n); break;
    case 12: decode<f16b, double>(encoded, n); break;
    case 16: decode<nf4b, float>(encoded, n); break;
    case 17: decode<nf4b, double>(encoded, n); break;
    case 18: decode<fp8<e4m3>, float>(encoded, n); break;
    case 19: decode<fp8<e5m2>, float>(encoded, n); break;
    case 20: decode<fp4, float>(encoded, n); break;
    case 21: decode<sign1, float>(encoded, n); break;
    case 22: decode<topk<64>, float>(encoded, n); break;
    case 23: decode<topk<8, two_bit_values, rice_places, 128>, float>(encoded, n); break;
    case 24: decode<topk<5, sign_values, packed_places, 64>, float>(encoded, n); break;
    case 25: decode<randk<64>, float>(encoded, n); break;
    case 26: decode<randk<9, two_bit_values, 128>, float>(encoded, n); break;
    case 29: decode<topk<8, half_values, rice_places, 128>, float>(encoded, n); break;
    case 30: decode<finite_only<identity>, float>(encoded, n); break;
    case 33: decode<hivemind::meanstd16, float>(encoded, n); break;
    case 34: decode<hivemind::float16, float>(encoded, n); break;
    case 35: decode<hivemind::quantile8, float>(encoded, n); break;
    case 36: decode<hivemind::uniform8, float>(encoded, n); break;
    case 37: decode<hivemind::blockwise8, float>(encoded, n); break;
    case 38: decode<hivemind::meanstd16, float>(encoded, n, {.width = 7}); break;
    case 39: decode<centred<nf4b>, float>(encoded, n); break;
    case 40: decode<centred<fp4>, double>(encoded, n); break;
    case 41: decode<centred<topk<8, two_bit_values, rice_places, 128>>, float>(encoded, n); break;
    }
    return 0;
}
