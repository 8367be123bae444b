#pragma once

#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/swarm_messages.hpp>

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
                                               &run_status::donors};

template <>
inline constexpr std::tuple fields<join>{&join::run, &join::name, &join::at, &join::parameters,
                                         &join::configuration};

template <>
inline constexpr std::tuple fields<joined>{&joined::id, &joined::host, &joined::now};

template <>
inline constexpr std::tuple fields<refused>{&refused::reason, &refused::temporary};

template <>
inline constexpr std::tuple fields<announce>{&announce::at};

template <>
inline constexpr std::tuple fields<state_held>{&state_held::round, &state_held::digest};

template <>
inline constexpr std::tuple fields<round_closing>{&round_closing::round, &round_closing::within_ms};

template <>
inline constexpr std::tuple fields<round_ready>{&round_ready::round, &round_ready::digest,
                                                &round_ready::inner_steps, &round_ready::tokens,
                                                &round_ready::loss};

template <>
inline constexpr std::tuple fields<group_member>{&group_member::id, &group_member::at,
                                                 &group_member::role};

template <>
inline constexpr std::tuple fields<group>{&group::round, &group::attempt, &group::epoch,
                                          &group::timeout_ms, &group::members};

template <>
inline constexpr std::tuple fields<round_report>{
    &round_report::round,   &round_report::attempt,    &round_report::ok,
    &round_report::digest,  &round_report::bytes_sent, &round_report::bytes_received,
    &round_report::seconds, &round_report::culprit};

template <>
inline constexpr std::tuple fields<round_outcome>{&round_outcome::round, &round_outcome::attempt,
                                                  &round_outcome::ok, &round_outcome::yours,
                                                  &round_outcome::now};

template <>
inline constexpr std::tuple fields<state_outdated>{&state_outdated::now};

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

/// Throws `errc::bad_message` for values that `encode` takes only by mistake.
template <class Struct>
void check(const Struct&)
{
}

inline void check(const member_endpoint& m)
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
    for (std::size_t i = 1; i < g.members.size(); ++i)
        if (g.members[i].id <= g.members[i - 1].id)
            throw std::system_error(errc::bad_message,
                                    "the members of a group must come in the order of their ids");
}

inline void check(const round_report& r)
{
    if (r.culprit < -1 || r.culprit > max_members)
        throw std::system_error(errc::bad_message, "a culprit must be a member's id or -1, not " +
                                                       std::to_string(r.culprit));
}

}  // namespace papilio::wire::detail
