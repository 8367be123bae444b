#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/version_contributors.hpp>
#include <papilio/wire/view_fields.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// Chunks of a part, in neighbouring columns, that come to the members in one way.
struct proposed_run {
    std::uint32_t first = 0;
    std::uint32_t columns = 0;
    std::uint8_t version = 0;  ///< the proposal's view: they are reduced anew
    int source = -1;           ///< the member that passes them on, or -1
    rank_set lacking{};        ///< the members that do not hold them

    friend bool operator==(const proposed_run&, const proposed_run&) = default;
};

/// What the coordinator of a view proposes: who its members are, and of each chunk the version that
/// they settle on.
struct proposal {
    std::uint8_t view = 1;
    std::uint8_t adopted = no_view;  ///< the view whose versions these are, if a member voted
    std::uint64_t call = 0;          ///< the digest of the call's descriptor
    rank_set members{};
    std::vector<rank_set>
        complaints{};               ///< of each peer, as promised; of who promised nothing: none
    std::vector<double> weights{};  ///< of each peer, or `unknown_weight`
    std::vector<version_contributors> versions{};   ///< all that the runs have, in ascending order
    std::vector<std::vector<proposed_run>> runs{};  ///< of each part

    friend bool operator==(const proposal&, const proposal&) = default;
};

inline constexpr std::uint32_t proposal_magic = 0x50504150;  // "PAPP"

namespace detail {

inline constexpr std::uint16_t no_source = 0xffff;

constexpr std::size_t proposal_run_size(const call_extent& of) noexcept
{
    return 16 + rank_set_size(of);
}

constexpr std::size_t proposal_head_size(const call_extent& of) noexcept
{
    const auto peers = static_cast<std::size_t>(of.peers);
    return 16 + (1 + peers) * rank_set_size(of) + weights_size(of);
}

void put_head(field_writer& to, const proposal& p);
proposal get_head(field_reader& from, const call_extent& of);
void get_rest(field_reader& from, const call_extent& of, const proposal& p, proposed_run& run);

}  // namespace detail

/// No proposal of a call takes more bytes.
constexpr std::size_t largest_proposal(const call_extent& of) noexcept
{
    return detail::proposal_head_size(of) + detail::largest_versions(of) +
           detail::largest_runs(of, detail::proposal_run_size(of));
}

/// Little-endian, a set of ranks as a bit for each peer in words of 64: u32 magic, u8 view, u8
/// adopted (255: none), u16 zero, u64 call, members, complaints of each peer, f64 weight of each
/// peer, u8 versions, seven bytes of zero; each u8 version, seven bytes of zero, contributors; then
/// of each part u32 runs, each u32 first column, u32 columns, u8 version, u8 zero, u16 source
/// (65535: none), u32 zero, who lacks it.
inline std::vector<std::byte> encode(const proposal& p)
{
    const auto words = rank_set::words(static_cast<int>(p.weights.size()));
    detail::field_writer to;
    detail::put_head(to, p);
    detail::put_versions(to, p.versions, words);
    detail::put_runs(to, p.runs, [&](const proposed_run& run) {
        detail::put_zeros(to, 1);
        to.put(run.source < 0 ? detail::no_source : static_cast<std::uint16_t>(run.source));
        detail::put_zeros(to, 4);
        detail::put_ranks(to, run.lacking, words);
    });
    return to.take();
}

/// Reads a whole message about a call; throws `errc::bad_message` if no honest peer wrote it.
inline proposal parse_proposal(bytes from, const call_extent& of)
{
    detail::require_size(from.size(), "a proposal",
                         detail::proposal_head_size(of) + 8 + 4 * of.parts, largest_proposal(of));
    detail::field_reader reader(from);
    auto p = detail::get_head(reader, of);
    p.versions = detail::get_versions(reader, of, p.view);
    p.runs = detail::get_runs<proposed_run>(
        reader, of, detail::proposal_run_size(of), p.view,
        [&](proposed_run& run) { detail::get_rest(reader, of, p, run); });
    reader.expect_end();
    return p;
}

namespace detail {

inline void put_head(field_writer& to, const proposal& p)
{
    PAPILIO_CHECK(p.complaints.size() == p.weights.size(), "a proposal is about every peer");
    const auto words = rank_set::words(static_cast<int>(p.weights.size()));
    to.put(proposal_magic);
    to.put(p.view);
    to.put(p.adopted);
    put_zeros(to, 2);
    to.put(p.call);
    put_ranks(to, p.members, words);
    for (const auto& complaints : p.complaints) put_ranks(to, complaints, words);
    for (const auto weight : p.weights) to.put(weight);
}

inline proposal get_head(field_reader& from, const call_extent& of)
{
    const auto magic = from.get<std::uint32_t>();
    require(magic == proposal_magic, "the first field of a proposal", "\"PAPP\"", magic);
    proposal p;
    p.view = get_between(from, "the view of a proposal", std::uint8_t{1}, max_view);
    p.adopted = get_view_or_none(from, "the view that a proposal adopts",
                                 static_cast<std::uint8_t>(p.view - 1));
    get_zeros(from, 2);
    p.call = from.get<std::uint64_t>();
    p.members = get_ranks(from, of.peers);
    require(!p.members.empty(), "the number of members in a proposal", "at least 1", 0);
    for (int rank = 0; rank < of.peers; ++rank) {
        p.complaints.push_back(get_ranks(from, of.peers));
        require(!p.complaints.back().contains(rank), "who is complained of in a proposal",
                "another peer", rank);
    }
    p.weights = get_weights(from, of.peers);
    return p;
}

/// What follows the version of a run.
inline void get_rest(field_reader& from, const call_extent& of, const proposal& p,
                     proposed_run& run)
{
    require_listed(run.version, p.versions);
    get_zeros(from, 1);
    const auto source = from.get<std::uint16_t>();
    run.source = source == no_source ? -1 : source;
    require(run.source < 0 || p.members.contains(run.source), "the source of a run",
            "a member, or 65535 for none", source);
    get_zeros(from, 4);
    run.lacking = get_ranks(from, of.peers);
    require(p.members.includes(run.lacking), "who lacks a run", "a member", "another peer");
    require(run.version == p.view ? run.source < 0 : run.source >= 0 || run.lacking.empty(),
            "the source of a run", "a member if it is kept, none if it is made anew", source);
    require(!run.lacking.contains(run.source), "who lacks a run", "another peer than its source",
            run.source);
}

}  // namespace detail

}  // namespace papilio::wire
