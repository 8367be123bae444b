#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/swarm_messages.hpp>
#include <papilio/wire/tag.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <system_error>
#include <tuple>

// The fields of the messages of a run, in the order in which they are written and read, and what a
// reader checks beyond their types.
namespace papilio::inline PAPILIO_MODE::wire::detail {

struct unlisted {};

template <class Struct>
inline constexpr unlisted fields{};

template <class T>
concept has_fields = !std::same_as<decltype(fields<T>), const unlisted>;

template <>
inline constexpr std::tuple fields<endpoint>{&endpoint::host, &endpoint::port};

template <>
inline constexpr std::tuple fields<member_endpoint>{&member_endpoint::id, &member_endpoint::at};

template <>
inline constexpr std::tuple fields<run_status>{&run_status::round, &run_status::digest,
                                               &run_status::donors, &run_status::state_root};

template <>
inline constexpr std::tuple fields<setting>{&setting::name, &setting::value};

template <>
inline constexpr std::tuple fields<join>{&join::run,        &join::name,          &join::at,
                                         &join::parameters, &join::configuration, &join::identity,
                                         &join::settings};

template <>
inline constexpr std::tuple fields<joined>{&joined::id, &joined::host, &joined::now};

template <>
inline constexpr std::tuple fields<refused>{&refused::reason, &refused::kind};

template <>
inline constexpr std::tuple fields<announce>{&announce::at};

template <>
inline constexpr std::tuple fields<state_held>{&state_held::round, &state_held::digest};

template <>
inline constexpr std::tuple fields<round_closing>{&round_closing::round, &round_closing::within_ms};

template <>
inline constexpr std::tuple fields<round_ready>{
    &round_ready::round, &round_ready::digest, &round_ready::inner_steps,  &round_ready::tokens,
    &round_ready::loss,  &round_ready::work,   &round_ready::contributions};

template <>
inline constexpr std::tuple fields<group_member>{&group_member::id, &group_member::at,
                                                 &group_member::role, &group_member::process};

template <>
inline constexpr std::tuple fields<group>{&group::round, &group::attempt, &group::epoch,
                                          &group::timeout_ms, &group::members};

template <>
inline constexpr std::tuple fields<round_report>{
    &round_report::round,   &round_report::attempt,    &round_report::ok,
    &round_report::digest,  &round_report::bytes_sent, &round_report::bytes_received,
    &round_report::seconds, &round_report::culprit,    &round_report::state_root,
    &round_report::left};

template <>
inline constexpr std::tuple fields<round_outcome>{&round_outcome::round, &round_outcome::attempt,
                                                  &round_outcome::ok, &round_outcome::yours,
                                                  &round_outcome::now};

template <>
inline constexpr std::tuple fields<state_outdated>{&state_outdated::now};

template <>
inline constexpr std::tuple fields<state_fetching>{&state_fetching::round};
template <>
inline constexpr std::tuple fields<gone>{&gone::id};

template <>
inline constexpr std::tuple fields<alive>{};

template <>
inline constexpr std::tuple fields<leave>{};

inline void check_id(std::uint16_t id)
{
    if (id > max_members)
        throw std::system_error(errc::bad_message,
                                "a member's id must be at most 4095, not " + std::to_string(id));
}

inline std::system_error bad_field(const char* name, const std::string& valid, auto found)
{
    return papilio::detail::bad_value(errc::bad_message, name, valid, found);
}

inline void check_round(std::uint32_t round)
{
    if (round > max_rounds) throw bad_field("a round in a message", "at most 10^9", round);
}

inline void check_count(const char* name, std::uint64_t count)
{
    if (count > max_count) throw bad_field(name, "at most 2^53", count);
}

/// Throws `errc::bad_message` for values that `encode` takes only by mistake.
template <class Struct>
void check(const Struct& m)
{
    if constexpr (requires { m.round; }) check_round(m.round);
}

inline void check(const refused& m)
{
    if (m.kind > refusal_kind::run_over)
        throw bad_field("the kind of a refusal", "from 0 to 3", static_cast<int>(m.kind));
}

/// Training that diverges may lose all numbers, but then it says so by NaN.
inline void check(const round_ready& m)
{
    check_round(m.round);
    check_count("the number of a member's tokens", m.tokens);
    if (std::isinf(m.loss)) throw bad_field("the loss of a member", "finite or NaN", m.loss);
}

inline void check(const member_endpoint& m)
{
    check_id(m.id);
}

inline void check(const gone& m)
{
    check_id(m.id);
}

inline void check(const joined& m)
{
    check_id(m.id);
}

inline void check(const group_member& m)
{
    check_id(m.id);
    if (m.role > member_role::observer)
        throw std::system_error(errc::bad_message, "a member's role must be from 0 to 3, not " +
                                                       std::to_string(static_cast<int>(m.role)));
}

inline void check(const group& g)
{
    check_round(g.round);
    if (g.epoch < 1 || g.epoch > max_epoch)
        throw bad_field("the epoch of a group", "from 1 to " + std::to_string(max_epoch), g.epoch);
    for (std::size_t i = 1; i < g.members.size(); ++i)
        if (g.members[i].id <= g.members[i - 1].id)
            throw std::system_error(errc::bad_message,
                                    "the members of a group must come in the order of their ids");
}

inline void check(const round_report& r)
{
    check_round(r.round);
    check_count("the number of bytes sent in a round", r.bytes_sent);
    check_count("the number of bytes received in a round", r.bytes_received);
    if (!(r.seconds >= 0 && r.seconds <= 1e9))
        throw bad_field("the duration of a round", "from 0 to 10^9 s", r.seconds);
    if (r.culprit < -1 || r.culprit > max_members)
        throw std::system_error(errc::bad_message, "a culprit must be a member's id or -1, not " +
                                                       std::to_string(r.culprit));
    if (r.left.size() > max_left)
        throw bad_field("the number of members that have left a round", "at most 1,024",
                        r.left.size());
    for (std::size_t i = 0; i < r.left.size(); ++i) {
        check_id(r.left[i]);
        if (i > 0 && r.left[i] <= r.left[i - 1])
            throw std::system_error(errc::bad_message,
                                    "members that have left come in the order of their ids");
    }
}

}  // namespace papilio::wire::detail
