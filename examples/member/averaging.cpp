#include "averaging.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/error_feedback.hpp>
#include <papilio/codec/int4b.hpp>
#include <papilio/codec/int8b.hpp>
#include <papilio/codec/topk.hpp>
#include <papilio/codec/two_way.hpp>
#include <papilio/collective/all_reduce.hpp>
#include <papilio/op/mean.hpp>
#include <papilio/plan/partition.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace papilio::example {

std::string_view name(round_codec c)
{
    switch (c) {
    case round_codec::none: return "none";
    case round_codec::f16: return "f16";
    case round_codec::bf16: return "bf16";
    case round_codec::int8b: return "int8b";
    case round_codec::int4b: return "int4b";
    case round_codec::topk: return "topk";
    }
    return "?";
}

bool keeps_the_rest(round_codec c)
{
    return c == round_codec::int4b || c == round_codec::topk;
}

namespace {

/// Calls `use` with the codec of that name.
template <class Use>
auto with(round_codec c, unsent_updates& unsent, Use use)
{
    using sparse = papilio::topk<64, two_bit_values>;
    switch (c) {
    case round_codec::f16: return use(as_f16{});
    case round_codec::bf16: return use(as_bf16{});
    case round_codec::int8b: return use(int8b{});
    case round_codec::int4b: return use(two_way{error_feedback(unsent, int4b<32>{}), int8b{}});
    case round_codec::topk: return use(two_way{error_feedback(unsent, sparse{}), int8b{}});
    case round_codec::none: break;
    }
    return use(identity{});
}

}  // namespace

task<report> average(any_transport net, std::span<const float> in, std::span<float> out,
                     round_codec codec, unsent_updates& unsent, call_options o)
{
    const auto reduce = [&](auto by) { return all_reduce(net, in, out, mean{}, by, o); };
    return with(codec, unsent, reduce);
}

namespace {

std::vector<part> parts_of(std::size_t count, std::span<const role> roles,
                           std::span<const double> wanted)
{
    std::vector<double> shares(wanted.begin(), wanted.end());
    shares.resize(roles.size(), 1);
    for (std::size_t rank = 0; rank < roles.size(); ++rank)
        if (!reduces(roles[rank])) shares[rank] = 0;
    return partition(count, shares);
}

/// What `n` elements take on their way to the owner of their part, and back.
struct encoded_sizes {
    std::uint64_t there = 0;
    std::uint64_t back = 0;
};

encoded_sizes sizes_of(round_codec codec, std::size_t n)
{
    unsent_updates nothing(0);
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
