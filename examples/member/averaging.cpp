#include "averaging.hpp"

#include <papilio/codec/as_bf16.hpp>
#include <papilio/codec/as_f16.hpp>
#include <papilio/codec/int8b.hpp>
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
    }
    return "?";
}

task<report> average(any_transport net, std::span<const float> in, std::span<float> out,
                     round_codec codec, call_options o)
{
    report done;
    switch (codec) {
    case round_codec::none: done = co_await all_reduce(net, in, out, mean{}, identity{}, o); break;
    case round_codec::f16: done = co_await all_reduce(net, in, out, mean{}, as_f16{}, o); break;
    case round_codec::bf16: done = co_await all_reduce(net, in, out, mean{}, as_bf16{}, o); break;
    case round_codec::int8b: done = co_await all_reduce(net, in, out, mean{}, int8b{}, o); break;
    }
    co_return done;
}

std::uint64_t encoded_size(round_codec codec, std::size_t n)
{
    switch (codec) {
    case round_codec::none: return identity{}.bound<float>(n);
    case round_codec::f16: return as_f16{}.bound<float>(n);
    case round_codec::bf16: return as_bf16{}.bound<float>(n);
    case round_codec::int8b: return int8b{}.bound<float>(n);
    }
    return 0;
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

}  // namespace

std::uint64_t part_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                         std::size_t rank, std::span<const double> shares)
{
    return encoded_size(codec, parts_of(count, roles, shares)[rank].size);
}

std::uint64_t butterfly_bytes(round_codec codec, std::size_t count, std::span<const role> roles,
                              std::size_t rank, std::span<const double> shares)
{
    const auto parts = parts_of(count, roles, shares);
    std::uint64_t bytes = 0;
    for (std::size_t owner = 0; owner < roles.size(); ++owner)
        if (owner != rank && contributes(roles[rank]))
            bytes += encoded_size(codec, parts[owner].size);
    const auto others = std::ranges::count_if(roles, votes) - (votes(roles[rank]) ? 1 : 0);
    return bytes + static_cast<std::uint64_t>(others) * encoded_size(codec, parts[rank].size);
}

}  // namespace papilio::example
