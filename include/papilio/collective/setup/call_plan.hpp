#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>
#include <papilio/collective/engine/call_data.hpp>
#include <papilio/collective/options.hpp>
#include <papilio/plan/butterfly.hpp>
#include <papilio/plan/columns.hpp>
#include <papilio/plan/partition.hpp>
#include <papilio/plan/role.hpp>
#include <papilio/wire/tag.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace papilio::inline PAPILIO_MODE::detail {

/// Who owns which part, and how parts are cut: the peers of a call agree on it beside element type,
/// operation and codec.
struct call_plan {
    butterfly stages;
    std::vector<part> parts;  // by owner
    std::vector<role> roles;  // by rank
    std::size_t granule = 1;
    std::size_t columns = 1;
    std::size_t slots = 1;              // chunks under way at a time between two peers
    std::size_t slots_low_latency = 1;  // the same on links with next to no latency
    std::uint64_t layout = 0;           // a hash of roles, parts, radix vector and codecs
    bool auxiliaries_receive = false;   // the whole result, and not their part alone
    bool all_contribute = false;        // peers that can by their role must: no weight is 0
    bool sums_count = false;            // a sum weighs as many contributions as it is made of
    bool tells_weights = false;         // to whoever has a chunk, if others may have to say them

    std::size_t part_size(int owner) const { return parts[static_cast<std::size_t>(owner)].size; }
    /// Whether `rank` is sent the parts of others.
    bool receives(int rank) const
    {
        return auxiliaries_receive || roles[static_cast<std::size_t>(rank)] != role::auxiliary;
    }

    /// How many weights stand behind the descriptor in a first contribution of `stage`: one for
    /// each peer of which it may be a sum.
    std::size_t weights_in_contribution(int stage) const
    {
        return tells_weights && stage > 0 ? static_cast<std::size_t>(stages.block_size(stage)) : 0;
    }

    /// How many stand before a first result: everybody's, unless all have a part, and with it heard
    /// the weights of the contributions to it.
    std::size_t weights_in_result() const
    {
        const auto nothing = [](const part& p) { return p.size == 0; };
        return tells_weights && std::ranges::any_of(parts, nothing) ? parts.size() : 0;
    }

    part chunk(int owner, std::size_t column) const
    {
        return chunk_of(parts[static_cast<std::size_t>(owner)], granule, columns, column);
    }

    /// The parts in a message of `stage` from or to `rank`, without those that have no elements.
    std::vector<int> parts_of(int rank, int stage) const
    {
        auto found = stages.parts_of(rank, stage);
        std::erase_if(found, [&](int p) { return part_size(p) == 0; });
        return found;
    }
};

[[noreturn]] inline void refuse(const std::string& why)
{
    throw std::system_error(errc::bad_argument, why);
}

inline void check_group(std::size_t n, std::size_t count, const call_options& o)
{
    if (n < 1 || n > 65'535) throw bad_value("the number of peers in a group", "1 to 65,535", n);
    if (!o.roles.empty() && o.roles.size() != n)
        throw bad_length("call_options::roles", o.roles.size(), n);
    if (!o.shares.empty() && o.shares.size() != n)
        throw bad_length("call_options::shares", o.shares.size(), n);
    if (!(o.weight >= 0) || !(o.weight < 0x1p53))
        throw bad_value("call_options::weight", "at least 0 and below 2^53", o.weight);
    if (o.timeout <= duration{}) throw bad_value("call_options::timeout", "above 0", o.timeout);
    if (o.min_peers < 0 || static_cast<std::size_t>(o.min_peers) > n)
        throw bad_value("call_options::min_peers", "0 to the size of the group", o.min_peers);
    if (o.on_straggler > on_straggler::drop_to_save)
        throw bad_value("call_options::on_straggler", "one of those it names",
                        static_cast<int>(o.on_straggler));
    if (o.patience < duration{})
        throw bad_value("call_options::patience", "at least 0", o.patience);
    const auto any = [&](auto has) { return o.roles.empty() || std::ranges::any_of(o.roles, has); };
    if (!any(contributes))
        refuse("call_options::roles has at least 1 peer that contributes: it has none");
    if (!any(reduces) && (count > 0 || n > 1))
        refuse(
            "call_options::roles has at least 1 peer that reduces, full or auxiliary: it has none");
    const auto all_reduce_and = [&](auto has) {
        return std::ranges::all_of(o.roles, [&](role r) { return reduces(r) && has(r); });
    };
    const bool one = std::ranges::count_if(o.roles, contributes) == 1;
    if (o.radix.size() > 1 && !all_reduce_and([&](role r) { return one || contributes(r); }))
        refuse("call_options::radix has at most 1 stage where not all peers are full: it has " +
               std::to_string(o.radix.size()));
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
    std::vector<std::size_t> owned(static_cast<std::size_t>(plan.stages.radix(0)), 0);
    for (std::size_t owner = 0; owner < plan.parts.size(); ++owner)
        owned[owner % owned.size()] += plan.parts[owner].size;
    const auto columns =
        columns_for(std::ranges::max(owned), plan.granule, chunk_bytes / element_size);
    if (columns > max_call_index)
        throw bad_value(
            "the number of chunks by call_options::chunk_bytes = " + std::to_string(chunk_bytes),
            "at most 1,048,575", columns);
    return columns;
}

/// The most bytes of elements in a message of the first stage: more than `chunk_bytes` where that
/// is less than a granule of each part.
inline std::size_t largest_message(const call_plan& plan, std::size_t element_size)
{
    std::vector<std::size_t> elements(static_cast<std::size_t>(plan.stages.radix(0)), 0);
    for (std::size_t owner = 0; owner < plan.parts.size(); ++owner)
        elements[owner % elements.size()] +=
            largest_chunk(plan.parts[owner].size, plan.granule, plan.columns);
    return std::ranges::max(elements) * element_size;
}

/// What is not asked for makes no two calls differ.
inline duration patience_of(const call_options& o)
{
    return o.on_straggler == on_straggler::drop_to_save ? o.patience : duration{};
}

/// Checks what the caller says about the group and works out who owns what. Throws
/// `errc::bad_argument`.
inline call_plan make_plan(int peers, std::vector<part> parts, std::vector<role> roles,
                           const call_kind& kind, const call_options& o)
{
    call_plan plan{.stages = butterfly(peers, o.radix),
                   .parts = std::move(parts),
                   .roles = std::move(roles),
                   .granule = kind.granule};
    std::size_t total = 0;
    for (const auto& p : plan.parts) total += p.size * kind.element_size;
    const auto partners = static_cast<std::size_t>(plan.stages.radix(0));
    const auto chunk_bytes =
        o.chunk_bytes != 0 ? o.chunk_bytes : default_chunk_bytes(total, partners);
    plan.columns = columns_of(plan, kind.element_size, chunk_bytes);
    plan.auxiliaries_receive = o.auxiliaries_receive || plan.stages.stages() > 1;
    plan.all_contribute = plan.stages.stages() > 1 && !kind.uneven_stages;
    plan.sums_count = kind.sums_count;
    plan.tells_weights = o.salvage;
    const auto slots = o.in_flight != 0 ? o.in_flight : default_slots(total, partners, chunk_bytes);
    const auto message = std::max(chunk_bytes, largest_message(plan, kind.element_size));
    plan.slots = std::min({slots, max_slots(message), plan.columns});
    plan.slots_low_latency =
        o.in_flight != 0 ? plan.slots : std::min(default_slots_low_latency, plan.slots);

    for (std::size_t rank = 0; rank < plan.parts.size(); ++rank)
        plan.layout = hash(plan.layout, static_cast<std::uint8_t>(plan.roles[rank]),
                           plan.parts[rank].begin, plan.parts[rank].size);
    for (int k = 0; k < plan.stages.stages(); ++k)
        plan.layout = hash(plan.layout, static_cast<std::uint32_t>(plan.stages.radix(k)));
    if (o.auxiliaries_receive) plan.layout = hash(plan.layout, std::uint8_t{1});
    if (o.salvage)
        plan.layout = hash(plan.layout, std::uint8_t{2}, static_cast<std::uint8_t>(o.uniform),
                           static_cast<std::uint32_t>(o.min_peers),
                           static_cast<std::uint8_t>(o.on_straggler), patience_of(o).count());
    plan.layout = hash(plan.layout, kind.parameters, static_cast<std::uint8_t>(kind.back),
                       kind.back_parameters);
    return plan;
}

inline std::vector<role> roles_of(std::size_t n, const call_options& o)
{
    std::vector<role> roles(o.roles.begin(), o.roles.end());
    roles.resize(n, role::full);
    return roles;
}

/// The plan of a call in which it does not matter to the caller who reduces what.
inline call_plan plan_by_shares(int peers, std::size_t count, const call_kind& kind,
                                const call_options& o)
{
    const auto n = static_cast<std::size_t>(peers);
    check_group(n, count, o);
    if (!o.sizes.empty())
        refuse("call_options::sizes is for reduce_scatter and all_gather: it has " +
               std::to_string(o.sizes.size()) + " entries");
    auto roles = roles_of(n, o);
    const auto shares = shares_of(roles, o.shares);
    auto parts = count > 0 ? partition(count, shares) : std::vector<part>(n, part{0, 0});
    return make_plan(peers, std::move(parts), std::move(roles), kind, o);
}

/// The plan of a call in which each peer has its part: nearly equal ones, or as `sizes` says.
inline call_plan plan_by_sizes(int peers, std::size_t count, const call_kind& kind,
                               const call_options& o)
{
    const auto n = static_cast<std::size_t>(peers);
    check_group(n, count, o);
    if (!o.roles.empty())
        refuse(
            "call_options::roles is for collectives in which not every peer has a part: it has " +
            std::to_string(o.roles.size()) + " entries");
    if (!o.shares.empty())
        refuse(
            "call_options::shares is for all_reduce and broadcast; here there is sizes: it has " +
            std::to_string(o.shares.size()) + " entries");
    auto parts = partition(count, n);
    if (!o.sizes.empty()) {
        if (o.sizes.size() != n) throw bad_length("call_options::sizes", o.sizes.size(), n);
        std::size_t total = 0;
        bool overflows = false;
        for (const auto size : o.sizes) overflows |= (total += size) < size;
        if (overflows || total != count)
            throw bad_value("the sum of call_options::sizes",
                            std::to_string(count) + ", the number of elements",
                            overflows ? "2^64 or more" : std::to_string(total));
        parts = consecutive(o.sizes);
    }
    auto plan = make_plan(peers, std::move(parts), roles_of(n, o), kind, o);
    plan.layout = hash(plan.layout, plan.slots);  // how much may be sent unasked
    return plan;
}

}  // namespace papilio::detail
