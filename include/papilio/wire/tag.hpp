#pragma once

#include <papilio/base/check.hpp>
#include <papilio/base/config.hpp>

#include <cstdint>

namespace papilio::inline PAPILIO_MODE {

/// Tells apart the messages that two peers exchange. Those of a program's own go under `user_tag`.
enum class tag : std::uint64_t {};

/// What a message is to its call.
enum class message_kind : std::uint8_t {
    user = 0,      ///< a program's own, see `user_tag`
    contribution,  ///< a peer's elements of a chunk, on its way to the chunk's owner
    result,        ///< a reduced chunk, on its way back
    vote,          ///< how a peer's call ended
    control,       ///< a request outside of calls: for an echo, a measurement or a state

    /// What voters tell each other of a call's views: promises, proposals and votes of later views.
    /// One stream for each pair and direction, its messages numbered by the index.
    view,

    /// How the call has ended for a peer, told to one that still is in it: index 0.
    answer,
};

/// Whether messages of a kind are a call's, and its view and attempt are in their tags.
constexpr bool is_of_call(message_kind kind) noexcept
{
    return kind != message_kind::user && kind != message_kind::control;
}

/// The fields of a tag. Every message of a call has a tag of its own, so that messages may
/// overtake each other on the way. Numbers wrap around: epochs after 2^12, calls after 2^20,
/// attempts after 2^4, views after 2^5.
struct tag_fields {
    std::uint32_t epoch = 0;  ///< tells the groups of one transport apart
    std::uint32_t call = 0;
    message_kind kind = message_kind::control;
    std::uint32_t index = 0;  ///< below 2^20 in a call, else below 2^24

    /// How often the call's number was begun before; 0 outside of calls.
    std::uint32_t attempt = 0;

    /// In which view of its call a contribution, result or vote has its place; else 0.
    std::uint32_t view = 0;

    friend constexpr bool operator==(const tag_fields&, const tag_fields&) = default;
};

inline constexpr std::uint32_t max_epoch = (1u << 12) - 1;
inline constexpr std::uint32_t max_tag_call = (1u << 20) - 1;
inline constexpr std::uint32_t max_call =
    max_tag_call / 2;  // the calls above are requests' numbers
inline constexpr std::uint32_t max_tag_attempt = (1u << 4) - 1;
inline constexpr std::uint32_t max_tag_view = (1u << 5) - 1;
inline constexpr std::uint32_t max_call_index = (1u << 20) - 1;
inline constexpr std::uint32_t max_tag_index = (1u << 24) - 1;

/// From the top: epoch in 12 bits, call 20, kind 3, view 5, then attempt in 4 and index in 20, or
/// outside of calls index in 24.
constexpr tag make_tag(tag_fields f) noexcept
{
    const auto low = is_of_call(f.kind)
                         ? (f.attempt & max_tag_attempt) << 20 | (f.index & max_call_index)
                         : f.index & max_tag_index;
    return tag{std::uint64_t{f.epoch & max_epoch} << 52 |
               std::uint64_t{f.call & max_tag_call} << 32 |
               std::uint64_t{static_cast<std::uint8_t>(f.kind)} << 29 |
               std::uint64_t{f.view & max_tag_view} << 24 | low};
}

/// A tag for a program's own messages: no collective, probe or request of the swarm uses it, and no
/// call that fails discards what comes under it. `number` is below 2^24. In a `subset` it is the
/// group's own, as all tags are.
constexpr tag user_tag(std::uint32_t number)
{
    PAPILIO_CHECK(number <= max_tag_index, "the number of a user's tag is below 2^24");
    return make_tag({.call = 0, .kind = message_kind::user, .index = number});
}

constexpr tag_fields fields_of(tag t) noexcept
{
    const auto bits = static_cast<std::uint64_t>(t);
    const auto low = static_cast<std::uint32_t>(bits) & max_tag_index;
    tag_fields f{.epoch = static_cast<std::uint32_t>(bits >> 52),
                 .call = static_cast<std::uint32_t>(bits >> 32) & max_tag_call,
                 .kind = static_cast<message_kind>(bits >> 29 & 7),
                 .index = low,
                 .view = static_cast<std::uint32_t>(bits >> 24) & max_tag_view};
    if (is_of_call(f.kind)) {
        f.attempt = low >> 20;
        f.index = low & max_call_index;
    }
    return f;
}

/// Whether a message tells of a call's views, or of how the call has ended.
constexpr bool tells_of_views(tag t) noexcept
{
    const auto kind = fields_of(t).kind;
    return kind == message_kind::view || kind == message_kind::answer;
}

/// The same, or the message has its place in a later view than 0.
constexpr bool concerns_later_views(tag t) noexcept
{
    const auto fields = fields_of(t);
    return is_of_call(fields.kind) && (fields.view > 0 || tells_of_views(t));
}

/// What all messages of one call have in common: epoch, call and attempt.
constexpr std::uint64_t call_of(tag t) noexcept
{
    return static_cast<std::uint64_t>(t) >> 32 << 4 | fields_of(t).attempt;
}

}  // namespace papilio
