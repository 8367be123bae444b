#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/element.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/random.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace papilio::inline PAPILIO_MODE::wire {

/// What one peer believes a call to be. It precedes the first chunk that a peer sends to each
/// other, so that a disagreement is noticed before a byte is used and costs no round trip.
struct descriptor {
    std::uint32_t call = 0;
    std::uint16_t peers = 0;
    element_type element{};
    std::uint8_t op = 0;        ///< an op_id
    std::uint8_t codec = 0;     ///< a codec_id
    std::uint8_t back = 0;      ///< the same, of the way back
    std::uint64_t count = 0;    ///< elements
    std::uint64_t columns = 0;  ///< in which the data travels
    std::uint64_t layout = 0;   ///< a hash of the peers' roles and shares
    double weight = 1;          ///< the sender's own; may differ between peers; 0: no elements
    std::uint32_t attempt = 0;  ///< how often the call's number was begun before

    static constexpr std::size_t encoded_size = 56;  ///< so that elements behind it are aligned
    friend constexpr bool operator==(const descriptor&, const descriptor&) = default;
};

/// What a peer may weigh. Zero has one representation, for weights are compared by their bits.
inline bool valid_weight(double weight) noexcept
{
    return weight >= 0 && weight < 0x1p53 && !std::signbit(weight);
}

inline constexpr std::uint32_t descriptor_magic = 0x44504150;  // "PAPD"
inline constexpr std::uint16_t descriptor_version = 2;

/// Little-endian: u32 magic, u16 version (2), u16 peers, u32 call, u8 element, u8 op, u8 codec,
/// u8 back, u64 count, u64 columns, u64 layout, f64 weight, u32 attempt, u32
/// zero.
inline std::array<std::byte, descriptor::encoded_size> encode(const descriptor& d) noexcept
{
    std::array<std::byte, descriptor::encoded_size> to;
    store(to.data(), descriptor_magic);
    store(to.data() + 4, descriptor_version);
    store(to.data() + 6, d.peers);
    store(to.data() + 8, d.call);
    store(to.data() + 12, d.element);
    store(to.data() + 13, d.op);
    store(to.data() + 14, d.codec);
    store(to.data() + 15, d.back);
    store(to.data() + 16, d.count);
    store(to.data() + 24, d.columns);
    store(to.data() + 32, d.layout);
    store(to.data() + 40, d.weight);
    store(to.data() + 48, d.attempt);
    store(to.data() + 52, std::uint32_t{0});
    return to;
}

/// Reads the descriptor at the head of `from`; throws `errc::bad_message` if there is none, or one
/// whose weight is not a number from 0 to 2^53.
inline descriptor parse_descriptor(bytes from)
{
    if (from.size() < descriptor::encoded_size)
        throw papilio::detail::bad_value(errc::bad_message,
                                         "the size of a message with a descriptor",
                                         "at least 56 bytes", from.size());
    if (load<std::uint32_t>(from.data()) != descriptor_magic)
        throw std::system_error(errc::bad_message, "the message does not begin with a descriptor");
    if (const auto version = load<std::uint16_t>(from.data() + 4); version != descriptor_version)
        throw papilio::detail::bad_value(errc::bad_message, "the version of a descriptor",
                                         std::to_string(descriptor_version), version);
    descriptor d;
    d.peers = load<std::uint16_t>(from.data() + 6);
    d.call = load<std::uint32_t>(from.data() + 8);
    d.element = element_type{load<std::uint8_t>(from.data() + 12)};
    d.op = load<std::uint8_t>(from.data() + 13);
    d.codec = load<std::uint8_t>(from.data() + 14);
    d.back = load<std::uint8_t>(from.data() + 15);
    d.count = load<std::uint64_t>(from.data() + 16);
    d.columns = load<std::uint64_t>(from.data() + 24);
    d.layout = load<std::uint64_t>(from.data() + 32);
    d.weight = load<double>(from.data() + 40);
    d.attempt = load<std::uint32_t>(from.data() + 48);
    if (const auto rest = load<std::uint32_t>(from.data() + 52); rest != 0)
        throw papilio::detail::bad_value(errc::bad_message, "the last field of a descriptor", "0",
                                         rest);
    if (!valid_weight(d.weight))
        throw papilio::detail::bad_value(errc::bad_message, "the weight in a descriptor",
                                         "at least 0 and below 2^53", d.weight);
    return d;
}

/// Weights of several peers, one f64 each, as they stand behind a descriptor or before a result.
inline void store_weights(std::span<const double> weights, mutable_bytes to)
{
    for (std::size_t i = 0; i < weights.size(); ++i)
        store(to.data() + i * sizeof(double), weights[i]);
}

/// Reads `count` of them at the head of `from`; throws `errc::bad_message` if there are fewer, or
/// one that is not a number from 0 to 2^53.
inline std::vector<double> parse_weights(bytes from, std::size_t count)
{
    if (from.size() / sizeof(double) < count)
        throw papilio::detail::bad_value(errc::bad_message, "the size of a message with weights",
                                         "at least " + std::to_string(count * sizeof(double)),
                                         from.size());
    std::vector<double> weights(count);
    for (std::size_t i = 0; i < count; ++i) {
        weights[i] = load<double>(from.data() + i * sizeof(double));
        if (!valid_weight(weights[i]))
            throw papilio::detail::bad_value(errc::bad_message, "a weight in a list of them",
                                             "at least 0 and below 2^53", weights[i]);
    }
    return weights;
}

/// One number for all that the peers of a call must agree on: everything but the weight.
inline std::uint64_t digest(const descriptor& d) noexcept
{
    return hash(d.call, d.attempt, d.peers, static_cast<std::uint8_t>(d.element), d.op, d.codec,
                d.back, d.count, d.columns, d.layout);
}

/// In words, the first thing in which two descriptors disagree; empty if they agree.
inline std::string difference(const descriptor& here, const descriptor& there)
{
    const auto say = [](const char* what, auto a, auto b) {
        return std::string(what) + " is " + std::to_string(a) + " here and " + std::to_string(b) +
               " there";
    };
    if (here.call != there.call) return say("the call's number", here.call, there.call);
    if (here.attempt != there.attempt)
        return say("how often the call's number was begun", here.attempt, there.attempt);
    if (here.peers != there.peers) return say("the number of peers", here.peers, there.peers);
    if (here.count != there.count) return say("the number of elements", here.count, there.count);
    if (here.element != there.element)
        return std::string("the element type is ") + name(here.element) + " here and " +
               name(there.element) + " there";
    if (here.op != there.op) return say("the operation's id", here.op, there.op);
    if (here.codec != there.codec) return say("the codec's id", here.codec, there.codec);
    if (here.back != there.back)
        return say("the id of the codec for the way back", here.back, there.back);
    if (here.columns != there.columns)
        return say("the number of columns", here.columns, there.columns);
    if (here.layout != there.layout) return "roles, shares or parameters of the codec differ";
    return {};
}

}  // namespace papilio::wire
