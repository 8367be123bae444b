#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/rank_set.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/version_contributors.hpp>
#include <papilio/wire/view_fields.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// Chunks of a part that a peer holds, in neighbouring columns and of one version: the view in
/// which they were reduced.
struct held_run {
    std::uint32_t first = 0;
    std::uint32_t columns = 0;
    std::uint8_t version = 0;

    friend constexpr bool operator==(const held_run&, const held_run&) = default;
};

/// What a peer says when it leaves a view of a call for a later one: that it votes in none before
/// `view` any more, and what it brings along.
struct promise {
    std::uint8_t view = 1;
    std::uint8_t joined = 0;        ///< the last view whose proposal it has joined
    std::uint8_t voted = no_view;   ///< the view in which it has voted, if that counts
    std::uint64_t call = 0;         ///< the digest of the call's descriptor
    rank_set complaints{};          ///< those with whom it cannot work
    std::vector<double> weights{};  ///< of each peer, or `unknown_weight`
    std::vector<version_contributors> versions{};  ///< all that it holds, in ascending order
    std::vector<std::vector<held_run>> held{};     ///< of each part

    friend bool operator==(const promise&, const promise&) = default;
};

inline constexpr std::uint32_t promise_magic = 0x52504150;  // "PAPR"

namespace detail {

inline constexpr std::size_t promise_run_size = 12;

constexpr std::size_t promise_head_size(const call_extent& of) noexcept
{
    return 16 + rank_set_size(of) + weights_size(of);
}

}  // namespace detail

/// No promise of a call takes more bytes.
constexpr std::size_t largest_promise(const call_extent& of) noexcept
{
    return detail::promise_head_size(of) + detail::largest_versions(of) +
           detail::largest_runs(of, detail::promise_run_size);
}

/// Little-endian: u32 magic, u8 view, u8 joined, u8 voted (255: none), u8 zero, u64 call, a bit for
/// each peer in words of 64: complaints, f64 weight of each peer, u8 versions, seven bytes of zero;
/// each u8 version, seven bytes of zero, contributors; then of each part u32 runs, each u32 first
/// column, u32 columns, u8 version, three bytes of zero.
inline std::vector<std::byte> encode(const promise& p)
{
    detail::field_writer to;
    to.put(promise_magic);
    to.put(p.view);
    to.put(p.joined);
    to.put(p.voted);
    detail::put_zeros(to, 1);
    to.put(p.call);
    const auto words = rank_set::words(static_cast<int>(p.weights.size()));
    detail::put_ranks(to, p.complaints, words);
    for (const auto weight : p.weights) to.put(weight);
    detail::put_versions(to, p.versions, words);
    detail::put_runs(to, p.held, [&](const held_run&) { detail::put_zeros(to, 3); });
    return to.take();
}

/// Reads a whole message about a call; throws `errc::bad_message` if no honest peer wrote it.
inline promise parse_promise(bytes from, const call_extent& of)
{
    detail::require_size(from.size(), "a promise", detail::promise_head_size(of) + 8 + 4 * of.parts,
                         largest_promise(of));
    detail::field_reader reader(from);
    const auto magic = reader.get<std::uint32_t>();
    detail::require(magic == promise_magic, "the first field of a promise", "\"PAPR\"", magic);
    promise p;
    p.view = detail::get_between(reader, "the view of a promise", std::uint8_t{1}, max_view);
    p.joined = detail::get_between(reader, "the view that the author of a promise has joined",
                                   std::uint8_t{0}, static_cast<std::uint8_t>(p.view - 1));
    p.voted = detail::get_view_or_none(
        reader, "the view in which the author of a promise has voted", p.joined);
    detail::get_zeros(reader, 1);
    p.call = reader.get<std::uint64_t>();
    p.complaints = detail::get_ranks(reader, of.peers);
    p.weights = detail::get_weights(reader, of.peers);
    p.versions = detail::get_versions(reader, of, p.joined);
    p.held = detail::get_runs<held_run>(reader, of, detail::promise_run_size, p.joined,
                                        [&](held_run& run) {
                                            detail::require_listed(run.version, p.versions);
                                            detail::get_zeros(reader, 3);
                                        });
    reader.expect_end();
    return p;
}

}  // namespace papilio::wire
