#pragma once

#include <papilio/base/random.hpp>
#include <papilio/codec/base.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace papilio::detail {

/// What the peers of a call agree on beside type, operation and codec.
struct call_plan {
    butterfly stages;
    std::vector<part> parts;  // by owner
    std::vector<role> roles;  // by rank
    std::size_t granule = 1;
    std::size_t columns = 1;
    std::size_t lanes = 1;       // columns on the way at a time
    std::size_t near_lanes = 1;  // the same between peers with next to no latency
    std::uint64_t layout = 0;    // a hash of what the peers were told about each other

    std::size_t part_size(int owner) const { return parts[static_cast<std::size_t>(owner)].size; }
    part chunk(int owner, std::size_t column) const
    {
        return chunk_of(parts[static_cast<std::size_t>(owner)], granule, columns, column);
    }

    /// The parts that a message of `stage` from or to `rank` is about, those without elements
    /// left out.
    std::vector<int> parts_of(int rank, int stage) const
    {
        auto found = stages.parts_of(rank, stage);
        std::erase_if(found, [&](int p) { return part_size(p) == 0; });
        return found;
    }
};

[[noreturn]] inline void refuse(const char* why)
{
    throw std::system_error(errc::bad_argument, why);
}

inline void check_group(std::size_t n, std::size_t count, const call_options& o)
{
    if (n < 1 || n > 65'535) refuse("a group has 1 to 65,535 peers");
    if (!o.roles.empty() && o.roles.size() != n) refuse("call_options::roles names every peer");
    if (!o.shares.empty() && o.shares.size() != n) refuse("call_options::shares names every peer");
    if (!(o.weight > 0) || !(o.weight < 0x1p53)) refuse("a weight lies above 0 and below 2^53");
    if (o.call > max_call) refuse("call_options::call is at most 524,287");
    if (o.timeout <= duration{}) refuse("a timeout is longer than nothing");
    const auto any = [&](auto has) { return o.roles.empty() || std::ranges::any_of(o.roles, has); };
    if (!any(contributes)) refuse("nobody contributes");
    if (!any(reduces) && (count > 0 || n > 1))
        refuse("nobody reduces: clients need full or auxiliary peers");
    const auto all_reduce_and = [&](auto has) {
        return std::ranges::all_of(o.roles, [&](role r) { return reduces(r) && has(r); });
    };
    const bool one = std::ranges::count_if(o.roles, contributes) == 1;
    if (o.radix.size() > 1 && !all_reduce_and([&](role r) { return one || contributes(r); }))
        refuse("clients, auxiliaries and observers meet everybody: leave call_options::radix out");
}

inline std::vector<double> shares_of(std::span<const role> roles, std::span<const double> wanted)
{
    std::vector<double> shares(wanted.begin(), wanted.end());
    shares.resize(roles.size(), 1.0);
    for (std::size_t rank = 0; rank < roles.size(); ++rank)
        if (!reduces(roles[rank])) shares[rank] = 0;
    return shares;
}

/// Cuts columns so that no message of the first stage, where they are largest, is about more than
/// about `chunk_bytes`.
inline std::size_t columns_of(const call_plan& plan, std::size_t element_size,
                              std::size_t chunk_bytes)
{
    std::vector<std::size_t> business(static_cast<std::size_t>(plan.stages.radix(0)), 0);
    for (std::size_t owner = 0; owner < plan.parts.size(); ++owner)
        business[owner % business.size()] += plan.parts[owner].size;
    const auto columns =
        columns_for(std::ranges::max(business), plan.granule, chunk_bytes / element_size);
    if (columns > max_tag_index) refuse("too many chunks: raise chunk_bytes");
    return columns;
}

/// Checks what the caller says about the group and works out who owns what. Throws
/// `errc::bad_argument`.
template <class Codec>
call_plan make_plan(int peers, std::vector<part> parts, std::vector<role> roles,
                    std::size_t element_size, const Codec& codec, const call_options& o)
{
    call_plan plan{.stages = butterfly(peers, o.radix),
                   .parts = std::move(parts),
                   .roles = std::move(roles),
                   .granule = common_granule<Codec>};
    std::size_t total = 0;
    for (const auto& p : plan.parts) total += p.size * element_size;
    const auto partners = static_cast<std::size_t>(plan.stages.radix(0));
    const auto chunk_bytes =
        o.chunk_bytes != 0 ? o.chunk_bytes : default_chunk_bytes(total, partners);
    plan.columns = columns_of(plan, element_size, chunk_bytes);
    const auto lanes = o.in_flight != 0 ? o.in_flight : default_lanes(total, partners, chunk_bytes);
    plan.lanes = std::min({lanes, max_lanes(chunk_bytes), plan.columns});
    plan.near_lanes = o.in_flight != 0 ? plan.lanes : std::min(default_near_lanes, plan.lanes);

    for (std::size_t rank = 0; rank < plan.parts.size(); ++rank)
        plan.layout = hash(plan.layout, static_cast<std::uint8_t>(plan.roles[rank]),
                           plan.parts[rank].begin, plan.parts[rank].size);
    for (int k = 0; k < plan.stages.stages(); ++k)
        plan.layout = hash(plan.layout, static_cast<std::uint32_t>(plan.stages.radix(k)));
    const auto back = codec_back(codec);
    plan.layout = hash(plan.layout, codec_parameters(codec), static_cast<std::uint8_t>(back.id),
                       codec_parameters(back));
    return plan;
}

inline std::vector<role> roles_of(std::size_t n, const call_options& o)
{
    std::vector<role> roles(o.roles.begin(), o.roles.end());
    roles.resize(n, role::full);
    return roles;
}

/// The plan of a call in which it does not matter to the caller who reduces what.
template <class Codec>
call_plan plan_by_shares(int peers, std::size_t count, std::size_t element_size, const Codec& codec,
                         const call_options& o)
{
    const auto n = static_cast<std::size_t>(peers);
    check_group(n, count, o);
    if (!o.sizes.empty()) refuse("call_options::sizes is for reduce_scatter and all_gather");
    auto roles = roles_of(n, o);
    const auto shares = shares_of(roles, o.shares);
    auto parts = count > 0 ? partition(count, shares) : std::vector<part>(n, part{0, 0});
    return make_plan(peers, std::move(parts), std::move(roles), element_size, codec, o);
}

/// The plan of a call in which each peer has its part: nearly equal ones, or as `sizes` says.
template <class Codec>
call_plan plan_by_sizes(int peers, std::size_t count, std::size_t element_size, const Codec& codec,
                        const call_options& o)
{
    const auto n = static_cast<std::size_t>(peers);
    check_group(n, count, o);
    if (!o.roles.empty()) refuse("in this collective every peer has a part: leave roles out");
    if (!o.shares.empty()) refuse("parts are the caller's here: say call_options::sizes");
    auto parts = partition(count, n);
    if (!o.sizes.empty()) {
        if (o.sizes.size() != n) refuse("call_options::sizes names every peer");
        std::size_t left = count;
        for (const auto size : o.sizes) {
            if (size > left) refuse("call_options::sizes add up to more than there is");
            left -= size;
        }
        if (left > 0) refuse("call_options::sizes add up to less than there is");
        parts = consecutive(o.sizes);
    }
    auto plan = make_plan(peers, std::move(parts), roles_of(n, o), element_size, codec, o);
    plan.layout = hash(plan.layout, plan.lanes);  // how much may be sent unasked
    return plan;
}

}  // namespace papilio::detail
