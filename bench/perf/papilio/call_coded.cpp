#include "perf/papilio/call_with.hpp"

#include <papilio/codec/two_way.hpp>
#include <papilio/codec/with_codec.hpp>

#include <algorithm>
#include <iterator>

namespace papilio::perf {

namespace {

/// The bits per element of a run of a million elements.
template <class Codec>
double bits_per_element(const Codec& codec)
{
    constexpr std::size_t many = std::size_t{1} << 20;
    return static_cast<double>(codec.template bound<float>(many)) * 8 / many;
}

/// A codec of --codec. Neighbouring codes differ by `coarseness`, relative to the largest element;
/// see `codec_facts`.
struct entry {
    std::string_view name;
    codec_id id;
    double coarseness;
};

/// The coarseness of codecs that drop most elements or keep little more than signs. It disables the
/// check.
constexpr double anything = 1e30;

constexpr entry entries[] = {
    {"as_f16", codec_id::as_f16, 0x1p-11},
    {"as_bf16", codec_id::as_bf16, 0x1p-8},
    {"int8b", codec_id::int8b, 1.01 / 252},
    {"int4b", codec_id::int4b_128, 1.01 / 13},
    {"int4b_32", codec_id::int4b_32, 1.01 / 13},
    {"nf4b", codec_id::nf4b, 0.2},
    {"fp8_e4m3", codec_id::fp8_e4m3, 1.01 / 16},
    {"fp8_e5m2", codec_id::fp8_e5m2, 1.01 / 8},
    {"fp4", codec_id::fp4, anything},
    {"sign1", codec_id::sign1, anything},
    {"topk", codec_id::topk, anything},
};

/// The sum of sparse contributions is not sparse, and returns without a codec.
using measured_codecs = codec_list<as_f16, as_bf16, int8b, int4b<128>, int4b<32>, nf4b, fp8<e4m3>,
                                   fp8<e5m2>, fp4, sign1, two_way<topk<64>, identity>>;

const entry* find(const std::string& codec)
{
    const auto found = std::ranges::find(entries, codec, &entry::name);
    return found == std::end(entries) ? nullptr : found;
}

}  // namespace

call_function coded_call(reduction op, const std::string& codec)
{
    const auto* e = find(codec);
    if (!e || (op != reduction::sum && op != reduction::avg)) return nullptr;
    return with_codec(measured_codecs{}, e->id, [op](auto c) -> call_function {
        using codec_type = decltype(c);
        return op == reduction::sum ? call_with<float, papilio::sum, codec_type>
                                    : call_with<float, papilio::mean, codec_type>;
    });
}

codec_id codec_id_of(const std::string& codec)
{
    const auto* e = find(codec);
    return e ? e->id : codec_id::identity;
}

op_id id_of(reduction op)
{
    switch (op) {
    case reduction::sum: return op_id::sum;
    case reduction::prod: return op_id::prod;
    case reduction::min: return op_id::min;
    case reduction::max: return op_id::max;
    case reduction::avg: break;
    }
    return op_id::mean;
}

codec_facts facts_of(const std::string& codec)
{
    const auto* e = find(codec);
    if (!e) return {};
    const double bits = with_codec(measured_codecs{}, e->id, [](auto c) {
        const auto back = papilio::detail::codec_back(c);
        return (bits_per_element(c) + bits_per_element(back)) / 2;
    });
    return {bits, e->coarseness};
}

const std::vector<std::string_view>& codec_names()
{
    static const auto all = [] {
        std::vector<std::string_view> names{"identity", "as-many-bytes"};
        for (const auto& e : entries) names.push_back(e.name);
        return names;
    }();
    return all;
}

call_function find_call(const job& j, const std::string& codec)
{
    const bool plain = codec == "identity" || codec == "as-many-bytes";
    if (j.what != collective::all_reduce)
        return plain && j.type == element_type::f32 ? other_call(j.what, j.op) : nullptr;
    if (plain)
        return with_type(j.type,
                         [&j]<class T>(std::type_identity<T>) { return plain_call<T>(j.op); });
    return j.type == element_type::f32 ? coded_call(j.op, codec) : nullptr;
}

}  // namespace papilio::perf
