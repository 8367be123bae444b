#include "averaging.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/codec/with_codec.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/session/mean_bytes.hpp>

#include <algorithm>
#include <utility>

namespace papilio::example {

bool uses_error_feedback(round_codec c)
{
    return c == round_codec::int4b || c == round_codec::topk;
}

namespace {

using plain_codecs = codec_list<identity, as_f16, as_bf16, int8b>;
using sparse = papilio::topk<64, two_bit_values>;
using feedback_codecs = codec_list<int4b<32>, sparse>;

/// Calls `use` with the codec of a round.
template <class Use>
auto with(round_codec c, update_residuals& residuals, Use use)
{
    const codec_id id = entry_of(c).sends;
    if (!uses_error_feedback(c)) return with_codec(plain_codecs{}, id, use);
    return with_codec(feedback_codecs{}, id, [&](auto codec) {
        return use(two_way{error_feedback(residuals, codec), int8b{}});
    });
}

}  // namespace

task<report> average(any_transport net, std::span<const float> in, std::span<float> out,
                     round_codec codec, update_residuals& residuals, call_options o)
{
    const auto reduce = [&](auto by) { return all_reduce(net, in, out, mean{}, by, o); };
    task<report> reduced = with(codec, residuals, reduce);
    auto done = co_await std::move(reduced);
    if (uses_error_feedback(codec)) keep_undelivered(done, net.rank(), in, residuals);
    co_return done;
}

void keep_undelivered(const report& made, int rank, std::span<const float> in,
                      update_residuals& residuals)
{
    if (in.empty()) return;  // it has no update
    for (const auto& [range, from] : made.made_of)
        if (std::ranges::find(from, rank, &contributor::rank) == from.end())
            residuals.undelivered(range.begin, in.subspan(range.begin, range.size));
}

namespace {

/// The encoded size of `n` elements on the way to the owner of their part, and back.
struct encoded_sizes {
    std::uint64_t there = 0;
    std::uint64_t back = 0;
};

encoded_sizes sizes_of(round_codec codec, std::size_t n)
{
    update_residuals nothing(0);
    return with(codec, nothing, [n](auto by) {
        const std::uint64_t there = by.template bound<float>(n);
        if constexpr (requires { by.back(); })
            return encoded_sizes{there, by.back().template bound<float>(n)};
        else
            return encoded_sizes{there, there};
    });
}

}  // namespace

std::uint64_t part_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                         std::size_t rank, std::span<const double> shares)
{
    return sizes_of(codec, parts_of(count, roles, shares)[rank].size).back;
}

std::uint64_t butterfly_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                              std::size_t rank, std::span<const double> shares)
{
    const auto parts = parts_of(count, roles, shares);
    std::uint64_t bytes = 0;
    for (std::size_t owner = 0; owner < roles.size(); ++owner)
        if (owner != rank && contributes(roles[rank]))
            bytes += sizes_of(codec, parts[owner].size).there;
    const auto others = std::ranges::count_if(roles, votes) - (votes(roles[rank]) ? 1 : 0);
    return bytes + static_cast<std::uint64_t>(others) * sizes_of(codec, parts[rank].size).back;
}

}  // namespace papilio::example
