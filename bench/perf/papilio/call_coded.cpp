#include "perf/papilio/call_with.hpp"

#include <papilio/codec.hpp>

#include <algorithm>

namespace papilio::perf {

namespace {

/// The bits per element of a run of a million elements.
template <class Codec>
double bits()
{
    constexpr std::size_t many = std::size_t{1} << 20;
    return static_cast<double>(Codec{}.template bound<float>(many)) * 8 / many;
}

struct entry {
    std::string_view name;
    call_function sum;
    call_function avg;
    codec_facts facts;
};

template <class Codec>
entry entry_of(std::string_view name, double coarseness)
{
    return {name,
            call_with<float, papilio::sum, Codec>,
            call_with<float, papilio::mean, Codec>,
            {bits<Codec>(), coarseness}};
}

/// The coarseness of codecs that drop most elements or keep little more than signs. It disables the
/// check.
constexpr double anything = 1e30;

/// A sparse codec. The largest magnitudes are sent, and their sum is returned without a codec.
entry sparse(std::string_view name)
{
    auto e = entry_of<two_way<topk<64>, identity>>(name, anything);
    e.facts.bits_per_element = (e.facts.bits_per_element + 32) / 2;
    return e;
}

const std::vector<entry>& entries()
{
    static const std::vector<entry> all{
        entry_of<as_f16>("as_f16", 0x1p-11),
        entry_of<as_bf16>("as_bf16", 0x1p-8),
        entry_of<int8b>("int8b", 1.01 / 252),
        entry_of<int4b<128>>("int4b", 1.01 / 13),
        entry_of<int4b<32>>("int4b_32", 1.01 / 13),
        entry_of<nf4b>("nf4b", 0.2),
        entry_of<fp8<e4m3>>("fp8_e4m3", 1.01 / 16),
        entry_of<fp8<e5m2>>("fp8_e5m2", 1.01 / 8),
        entry_of<fp4>("fp4", anything),
        entry_of<sign1>("sign1", anything),
        sparse("topk"),
    };
    return all;
}

const entry* find(const std::string& codec)
{
    const auto found = std::ranges::find(entries(), codec, &entry::name);
    return found == entries().end() ? nullptr : &*found;
}

}  // namespace

call_function coded_call(reduction op, const std::string& codec)
{
    const auto* e = find(codec);
    if (!e) return nullptr;
    return op == reduction::sum ? e->sum : op == reduction::avg ? e->avg : nullptr;
}

codec_facts facts_of(const std::string& codec)
{
    const auto* e = find(codec);
    return e ? e->facts : codec_facts{};
}

const std::vector<std::string_view>& codec_names()
{
    static const auto all = [] {
        std::vector<std::string_view> names{"identity", "as-many-bytes"};
        for (const auto& e : entries()) names.push_back(e.name);
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
