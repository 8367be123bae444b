#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/swarm_fields.hpp>
#include <papilio/wire/swarm_messages.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
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
inline constexpr std::size_t max_list = static_cast<std::size_t>(max_members) + 1;

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

/// The fewest bytes that a value takes.
template <class T>
constexpr std::size_t min_encoded_size()
{
    if constexpr (has_fields<T>)
        return std::apply(
            []<class... Field>([[maybe_unused]] Field T::*... field) {
                return (min_encoded_size<Field>() + ... + 0);
            },
            fields<T>);
    else if constexpr (std::is_same_v<T, std::string>)
        return 1;
    else if constexpr (is_list<T>)
        return 2;
    else
        return sizeof(T);
}

template <class T>
void put(field_writer& to, const T& value)
{
    if constexpr (has_fields<T>) {
        std::apply([&](auto... field) { (put(to, value.*field), ...); }, fields<T>);
    } else if constexpr (is_list<T>) {
        if (value.size() > max_list)
            throw papilio::detail::bad_value(errc::too_large, "the length of a list in a message",
                                             "at most 4,096 entries", value.size());
        to.put(static_cast<std::uint16_t>(value.size()));
        for (const auto& entry : value) put(to, entry);
    } else {
        to.put(value);
    }
}

template <class T>
void get(field_reader& from, T& value)
{
    if constexpr (has_fields<T>) {
        std::apply([&](auto... field) { (get(from, value.*field), ...); }, fields<T>);
        check(value);
    } else if constexpr (is_list<T>) {
        const auto count = from.get<std::uint16_t>();
        constexpr auto entry_size = min_encoded_size<typename T::value_type>();
        const auto most = std::min(max_list, from.left() / entry_size);
        if (count > most)
            throw papilio::detail::bad_value(
                errc::bad_message, "the length of a list in a message",
                "at most the " + std::to_string(most) + " entries that it holds", count);
        value.resize(count);
        for (auto& entry : value) get(from, entry);
    } else if constexpr (std::is_same_v<T, std::string>) {
        value = from.get_text();
    } else if constexpr (std::is_same_v<T, bool>) {
        value = from.get_bool();
    } else if constexpr (std::is_same_v<T, digest_bytes>) {
        from.get(value);
    } else {
        value = from.get<T>();
    }
}

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
        get(from, message);
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
    std::visit([&to](const auto& m) { detail::put(to, m); }, message);
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
