#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// Throws `errc::too_large` for a text or a list that is too long.
std::vector<std::byte> encode(const swarm_message& message);

/// Reads a whole message; throws `errc::bad_message` if `encode` could not have written it.
swarm_message parse_swarm(bytes from);

}  // namespace papilio::wire

namespace papilio::inline PAPILIO_MODE::wire::detail {

inline constexpr std::uint16_t swarm_magic = 0x5350;  // "PS"

inline void check_id(std::uint16_t id)
{
    if (id > max_members)
        throw std::system_error(errc::bad_message,
                                "a member's id must be at most 4095, not " + std::to_string(id));
}

inline std::size_t get_count(field_reader& from, std::size_t smallest)
{
    const auto count = from.get<std::uint16_t>();
    if (count > max_members + 1 || count > from.left() / smallest)
        throw std::system_error(errc::bad_message, "a list is longer than its message");
    return count;
}

inline void put_count(field_writer& to, std::size_t count)
{
    if (count > static_cast<std::size_t>(max_members) + 1)
        throw std::system_error(errc::too_large, "a list in a message has at most 4,096 entries");
    to.put(static_cast<std::uint16_t>(count));
}

inline void put(field_writer& to, const endpoint& p)
{
    to.put(p.host);
    to.put(p.port);
}

inline endpoint get_endpoint(field_reader& from)
{
    endpoint p;
    p.host = from.get_text();
    p.port = from.get<std::uint16_t>();
    return p;
}

inline void put(field_writer& to, const run_status& s)
{
    to.put(s.round);
    to.put(s.digest);
    put_count(to, s.donors.size());
    for (const auto& donor : s.donors) {
        to.put(donor.id);
        put(to, donor.at);
    }
}

inline run_status get_run_status(field_reader& from)
{
    run_status s;
    s.round = from.get<std::uint32_t>();
    s.digest = from.get_text();
    const auto count = get_count(from, 5);
    s.donors.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto id = from.get<std::uint16_t>();
        check_id(id);
        s.donors.push_back({id, get_endpoint(from)});
    }
    return s;
}

inline void put_message(field_writer& to, const join& m)
{
    to.put(m.run);
    to.put(m.name);
    put(to, m.at);
    to.put(m.parameters);
    to.put(m.configuration);
}

inline void get_message(field_reader& from, join& m)
{
    m.run = from.get_text();
    m.name = from.get_text();
    m.at = get_endpoint(from);
    m.parameters = from.get<std::uint64_t>();
    m.configuration = from.get<std::uint64_t>();
}

inline void put_message(field_writer& to, const joined& m)
{
    to.put(m.id);
    put(to, m.host);
    put(to, m.now);
}

inline void get_message(field_reader& from, joined& m)
{
    m.id = from.get<std::uint16_t>();
    check_id(m.id);
    m.host = get_endpoint(from);
    m.now = get_run_status(from);
}

inline void put_message(field_writer& to, const refused& m)
{
    to.put(m.reason);
    to.put(static_cast<std::uint8_t>(m.temporary));
}

inline void get_message(field_reader& from, refused& m)
{
    m.reason = from.get_text();
    m.temporary = from.get_bool();
}

inline void put_message(field_writer& to, const announce& m)
{
    put(to, m.at);
}

inline void get_message(field_reader& from, announce& m)
{
    m.at = get_endpoint(from);
}

inline void put_message(field_writer& to, const state_held& m)
{
    to.put(m.round);
    to.put(m.digest);
}

inline void get_message(field_reader& from, state_held& m)
{
    m.round = from.get<std::uint32_t>();
    m.digest = from.get_text();
}

inline void put_message(field_writer& to, const round_closing& m)
{
    to.put(m.round);
    to.put(m.within_ms);
}

inline void get_message(field_reader& from, round_closing& m)
{
    m.round = from.get<std::uint32_t>();
    m.within_ms = from.get<std::uint32_t>();
}

inline void put_message(field_writer& to, const round_ready& m)
{
    to.put(m.round);
    to.put(m.digest);
    to.put(m.inner_steps);
    to.put(m.tokens);
    to.put(m.loss);
}

inline void get_message(field_reader& from, round_ready& m)
{
    m.round = from.get<std::uint32_t>();
    m.digest = from.get_text();
    m.inner_steps = from.get<std::uint32_t>();
    m.tokens = from.get<std::uint64_t>();
    m.loss = from.get<double>();
}

inline void put_message(field_writer& to, const group& m)
{
    to.put(m.round);
    to.put(m.attempt);
    to.put(m.epoch);
    to.put(m.timeout_ms);
    put_count(to, m.members.size());
    for (const auto& member : m.members) {
        to.put(member.id);
        put(to, member.at);
        to.put(member.role);
    }
}

inline void get_message(field_reader& from, group& m)
{
    m.round = from.get<std::uint32_t>();
    m.attempt = from.get<std::uint32_t>();
    m.epoch = from.get<std::uint32_t>();
    m.timeout_ms = from.get<std::uint32_t>();
    const auto count = get_count(from, 6);
    m.members.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        group_member member;
        member.id = from.get<std::uint16_t>();
        check_id(member.id);
        if (!m.members.empty() && member.id <= m.members.back().id)
            throw std::system_error(errc::bad_message,
                                    "the members of a group must come in the order of their ids");
        member.at = get_endpoint(from);
        const auto role = from.get<std::uint8_t>();
        if (role > static_cast<std::uint8_t>(member_role::observer))
            throw std::system_error(errc::bad_message, "a member's role must be from 0 to 3, not " +
                                                           std::to_string(role));
        member.role = member_role{role};
        m.members.push_back(std::move(member));
    }
}

inline void put_message(field_writer& to, const round_report& m)
{
    to.put(m.round);
    to.put(m.attempt);
    to.put(static_cast<std::uint8_t>(m.ok));
    to.put(m.digest);
    to.put(m.bytes_sent);
    to.put(m.bytes_received);
    to.put(m.seconds);
    to.put(m.culprit);
}

inline void get_message(field_reader& from, round_report& m)
{
    m.round = from.get<std::uint32_t>();
    m.attempt = from.get<std::uint32_t>();
    m.ok = from.get_bool();
    m.digest = from.get_text();
    m.bytes_sent = from.get<std::uint64_t>();
    m.bytes_received = from.get<std::uint64_t>();
    m.seconds = from.get<double>();
    m.culprit = from.get<std::int32_t>();
    if (m.culprit < -1 || m.culprit > max_members)
        throw std::system_error(errc::bad_message, "a culprit must be a member's id or -1, not " +
                                                       std::to_string(m.culprit));
}

inline void put_message(field_writer& to, const round_outcome& m)
{
    to.put(m.round);
    to.put(m.attempt);
    to.put(static_cast<std::uint8_t>(m.ok));
    to.put(static_cast<std::uint8_t>(m.yours));
    put(to, m.now);
}

inline void get_message(field_reader& from, round_outcome& m)
{
    m.round = from.get<std::uint32_t>();
    m.attempt = from.get<std::uint32_t>();
    m.ok = from.get_bool();
    m.yours = from.get_bool();
    m.now = get_run_status(from);
}

inline void put_message(field_writer& to, const state_outdated& m)
{
    put(to, m.now);
}

inline void get_message(field_reader& from, state_outdated& m)
{
    m.now = get_run_status(from);
}

inline void put_message(field_writer&, const alive&) {}
inline void get_message(field_reader&, alive&) {}
inline void put_message(field_writer&, const leave&) {}
inline void get_message(field_reader&, leave&) {}

/// The alternative of the variant whose number is `kind`, counted from 1.
template <std::size_t I = 0>
swarm_message get_kind(field_reader& from, std::size_t kind)
{
    if constexpr (I == std::variant_size_v<swarm_message>) {
        throw std::system_error(errc::bad_message,
                                "a message has the unknown kind " + std::to_string(kind));
    } else {
        if (kind != I + 1) return get_kind<I + 1>(from, kind);
        std::variant_alternative_t<I, swarm_message> message;
        get_message(from, message);
        return message;
    }
}

}  // namespace papilio::wire::detail

namespace papilio::inline PAPILIO_MODE::wire {

inline std::vector<std::byte> encode(const swarm_message& message)
{
    detail::field_writer to;
    to.put(detail::swarm_magic);
    to.put(swarm_version);
    to.put(static_cast<std::uint8_t>(message.index() + 1));
    std::visit([&to](const auto& m) { detail::put_message(to, m); }, message);
    return to.take();
}

inline swarm_message parse_swarm(bytes from)
{
    detail::field_reader fields(from);
    if (fields.get<std::uint16_t>() != detail::swarm_magic)
        throw std::system_error(errc::bad_message, "the message is not one of a run");
    const auto version = fields.get<std::uint8_t>();
    if (version != swarm_version)
        throw std::system_error(errc::bad_message, "the message must be of version " +
                                                       std::to_string(swarm_version) + ", not " +
                                                       std::to_string(version));
    auto message = detail::get_kind(fields, fields.get<std::uint8_t>());
    fields.expect_end();
    return message;
}

}  // namespace papilio::wire
