#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/codec/f16b.hpp>
#include <papilio/codec/fp4.hpp>
#include <papilio/codec/fp8.hpp>
#include <papilio/codec/hivemind.hpp>
#include <papilio/codec/identity.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/nf4b.hpp>
#include <papilio/codec/randk.hpp>
#include <papilio/codec/sign1.hpp>
#include <papilio/codec/topk.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>

// A codec chosen at run time. A call is compiled for each codec in the list, so that a program
// should list only the codecs that it uses.
namespace papilio::inline PAPILIO_MODE {

/// Codecs that can be chosen by id. Each must be default-constructible.
template <class... Codecs>
struct codec_list {
};

/// All codecs for floats, with the parameters that are usual.
using all_codecs =
    codec_list<identity, as_f16, f16b, as_bf16, int8b, int4b<32>, int4b<128>, nf4b, fp8<e4m3>,
               fp8<e5m2>, fp4, sign1, topk<64>, randk<64>, hivemind::float16, hivemind::meanstd16,
               hivemind::uniform8, hivemind::quantile8, hivemind::blockwise8>;

namespace detail {
template <class... Codecs>
[[noreturn]] void refuse_codec(codec_list<Codecs...>, const std::string& found)
{
    std::string names;
    ((names += (names.empty() ? "" : ", ") + std::string(name(Codecs::id))), ...);
    throw std::system_error(errc::bad_argument,
                            "the codec must be one of " + names + ", not " + found);
}

template <class List, class First, class... Rest, class F>
auto with_codec_of(List list, codec_list<First, Rest...>, codec_id id, F& f) -> decltype(f(First{}))
{
    if (First::id == id) return f(First{});
    if constexpr (sizeof...(Rest) > 0)
        return with_codec_of(list, codec_list<Rest...>{}, id, f);
    else
        refuse_codec(list, std::string(name(id)) + " (id " +
                               std::to_string(static_cast<unsigned>(id)) + ")");
}
}  // namespace detail

/// Returns `f(codec)` for the codec in the list that has this id. `f` must return the same type for
/// all of them. Throws `errc::bad_argument` when none has the id.
template <class... Codecs, class F>
auto with_codec(codec_list<Codecs...> list, codec_id id, F&& f)
{
    return detail::with_codec_of(list, list, id, f);
}

/// The same with `all_codecs`.
template <class F>
auto with_codec(codec_id id, F&& f)
{
    return with_codec(all_codecs{}, id, f);
}

/// Calls `f(codec)` for each codec in the list.
template <class... Codecs, class F>
void for_each_codec(codec_list<Codecs...>, F&& f)
{
    (f(Codecs{}), ...);
}

/// The id of the codec in the list for which `name(id)` is `text`. Throws `errc::bad_argument` when
/// there is none.
template <class... Codecs>
codec_id codec_named(std::string_view text, codec_list<Codecs...> list)
{
    for (const codec_id id : std::initializer_list<codec_id>{Codecs::id...})
        if (text == name(id)) return id;
    detail::refuse_codec(list, '"' + std::string(text.substr(0, 60)) + '"');
}

/// The same with `all_codecs`.
inline codec_id codec_named(std::string_view text)
{
    return codec_named(text, all_codecs{});
}

}  // namespace papilio
