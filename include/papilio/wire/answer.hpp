#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_fields.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// How a call has ended for a peer.
enum class ending : std::uint8_t {
    done = 1,   ///< it has succeeded: a view is decided
    withdrawn,  ///< it has failed, and takes part in no view any more
};

/// What a peer whose call has ended says to those that still are in it.
struct answer {
    ending what = ending::withdrawn;
    std::uint8_t view = 0;              ///< if done: the view that is decided
    errc why{};                         ///< if withdrawn
    std::int32_t culprit = -1;          ///< if withdrawn: the rank at fault, or -1
    std::uint64_t settlement = 0;       ///< if done: the digest of what is settled
    std::uint64_t result = 0;           ///< if done: that of the result, as in votes; 0: none
    std::vector<double> weights{};      ///< if done in view 0: of each peer, or `unknown_weight`
    std::optional<proposal> decided{};  ///< if done in a view above 0: its proposal

    friend bool operator==(const answer&, const answer&) = default;
};

inline constexpr std::uint32_t answer_magic = 0x41504150;  // "PAPA"

namespace detail {

inline constexpr std::size_t answer_head_size = 28;

}  // namespace detail

/// No answer about a call takes more bytes.
constexpr std::size_t largest_answer(const call_extent& of) noexcept
{
    return detail::answer_head_size + largest_proposal(of);
}

/// Little-endian: u32 magic, u8 what, u8 view, u8 why, u8 zero, i32 culprit, u64 settlement, u64
/// result; behind a done of view 0 the f64 weight of each peer, and of a later view its proposal.
inline std::vector<std::byte> encode(const answer& a)
{
    detail::field_writer to;
    to.put(answer_magic);
    to.put(a.what);
    to.put(a.view);
    to.put(static_cast<std::uint8_t>(a.why));
    detail::put_zeros(to, 1);
    to.put(a.culprit);
    to.put(a.settlement);
    to.put(a.result);
    for (const auto weight : a.weights) to.put(weight);
    auto message = to.take();
    if (!a.decided) return message;
    const auto proposal = encode(*a.decided);
    message.insert(message.end(), proposal.begin(), proposal.end());
    return message;
}

namespace detail {

/// What is in an answer before the proposal.
inline answer get_ending(field_reader& from, const call_extent& of)
{
    const auto magic = from.get<std::uint32_t>();
    require(magic == answer_magic, "the first field of an answer", "\"PAPA\"", magic);
    answer a;
    a.what = ending{get_between(from, "the kind of an answer", std::uint8_t{1}, std::uint8_t{2})};
    const bool done = a.what == ending::done;
    a.view = get_between(from, "the view of an answer", std::uint8_t{0},
                         done ? max_view : std::uint8_t{0});
    const auto why = from.get<std::uint8_t>();
    a.why = errc{why};
    require(done ? why == 0 : known(a.why), "the reason of an answer",
            done ? "0" : "a code of papilio::errc", why);
    get_zeros(from, 1);
    a.culprit = get_between(from, "the culprit of an answer", -1, done ? -1 : of.peers - 1);
    a.settlement = from.get<std::uint64_t>();
    require(done || a.settlement == 0, "the settlement of a peer that has failed", "0",
            a.settlement);
    a.result = from.get<std::uint64_t>();
    require(done || a.result == 0, "the result of a peer that has failed", "0", a.result);
    return a;
}

}  // namespace detail

/// Reads a whole message about a call; throws `errc::bad_message` if no honest peer wrote it.
inline answer parse_answer(bytes from, const call_extent& of)
{
    detail::require_size(from.size(), "an answer", detail::answer_head_size, largest_answer(of));
    detail::field_reader reader(from.first(detail::answer_head_size));
    auto a = detail::get_ending(reader, of);
    const auto rest = from.subspan(detail::answer_head_size);
    if (a.view == 0) {
        detail::field_reader fields(rest);
        if (a.what == ending::done) a.weights = detail::get_weights(fields, of.peers);
        fields.expect_end();
        return a;
    }
    a.decided = parse_proposal(rest, of);
    detail::require(a.decided->view == a.view, "the view of the proposal in an answer",
                    "that of the answer", a.decided->view);
    return a;
}

}  // namespace papilio::wire
