#pragma once

#include <papilio/codec/base.hpp>
#include <papilio/codec/residuals.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace papilio::example {

/// How updates are encoded. `int4b` and `topk` (1 of 64 elements, in two bits) use error feedback,
/// and their mean returns as int8b; the others encode both ways alike.
enum class round_codec : std::uint8_t { none, f16, bf16, int8b, int4b, topk };

/// A codec of rounds: its name for --codec, and the codec by which updates are sent.
struct round_codec_entry {
    round_codec codec;
    std::string_view name;
    codec_id sends;
};
inline constexpr round_codec_entry round_codecs[] = {
    {round_codec::none, "none", codec_id::identity},
    {round_codec::f16, "f16", codec_id::as_f16},
    {round_codec::bf16, "bf16", codec_id::as_bf16},
    {round_codec::int8b, "int8b", codec_id::int8b},
    {round_codec::int4b, "int4b", codec_id::int4b_32},
    {round_codec::topk, "topk", codec_id::topk},
};

/// The entry of a codec.
constexpr const round_codec_entry& entry_of(round_codec c)
{
    return round_codecs[static_cast<std::size_t>(c)];
}

constexpr std::string_view name(round_codec c)
{
    return entry_of(c).name;
}

/// The errors of earlier updates, which error feedback adds to the next one. As long as an update
/// where this member sends by a codec that uses error feedback; else empty.
using update_residuals = residuals<bf16>;

bool uses_error_feedback(round_codec c);

/// Averages all contributors' `in` by papilio's all-reduce; see there. The new residuals take
/// effect when the caller commits them. They keep all of what is in no part of the result, as may
/// be where the call went on without this member for a while.
task<report> average(any_transport net, std::span<const float> in, std::span<float> out,
                     round_codec codec, update_residuals& residuals, call_options o);

/// Of the ranges that were made without the peer `rank` nothing was delivered of its `in`.
void keep_undelivered(const report& made, int rank, std::span<const float> in,
                      update_residuals& residuals);

/// The encoded bytes that a direct reduce-scatter and all-gather of `count` elements makes the peer
/// `rank` send: about 2 (n - 1) / n of the data, where parts are equal. `shares` are those of the
/// call. Bytes that observers fetch do not count. Nothing where nobody reduces.
std::uint64_t butterfly_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                              std::size_t rank, std::span<const double> shares = {});

/// The encoded bytes of the part that `rank` owns, as it sends them to each other peer and to an
/// observer.
std::uint64_t part_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                         std::size_t rank, std::span<const double> shares = {});

}  // namespace papilio::example
