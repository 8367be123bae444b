#pragma once

#include <papilio/codec/residuals.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/collective/report.hpp>
#include <papilio/transport/any_transport.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace papilio::example {

/// How updates travel. By `int4b` and by `topk`, 1 of 64 elements in two bits, those go that matter
/// most, and the rest in later rounds; the mean comes back by int8b.
enum class round_codec : std::uint8_t { none, f16, bf16, int8b, int4b, topk };

/// "none", "f16", "bf16", "int8b", "int4b", "topk".
std::string_view name(round_codec c);

/// What a member has not sent of its updates yet: as long as they are where a codec keeps
/// something, and it is this member that sends; else empty.
using unsent_updates = residuals<bf16>;

/// Whether a codec sends the rest in later rounds.
bool keeps_the_rest(round_codec c);

/// The mean of all contributors' `in`, by papilio's all-reduce; see there. What it leaves unsent
/// holds from the caller's `commit` on.
task<report> average(any_transport net, std::span<const float> in, std::span<float> out,
                     round_codec codec, unsent_updates& unsent, call_options o);

/// The payload that a direct reduce-scatter and all-gather of `count` elements makes the peer
/// `rank` send: about 2 (n - 1) / n of the data, in the codec's size, where parts are equal.
/// `shares` are those of the call. Observers' fetches are not counted.
std::uint64_t butterfly_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                              std::size_t rank, std::span<const double> shares = {});

/// How much of that one other peer, or an observer, gets of the reduced data: the part that `rank`
/// owns, in the codec's size.
std::uint64_t part_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                         std::size_t rank, std::span<const double> shares = {});

}  // namespace papilio::example
