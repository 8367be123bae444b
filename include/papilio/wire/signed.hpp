#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/public_key.hpp>
#include <papilio/wire/fields.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

// Documents that prove who has written them, to whoever is shown them: an envelope, a body, and a
// signature over both.
namespace papilio::inline PAPILIO_MODE {

/// Has a private key.
template <class T>
concept signer = requires(const T& s, bytes message)
{
    // clang-format off
    { s.key() } -> std::convertible_to<public_key>;
    { s.sign(message) } -> std::convertible_to<signature>;
    // clang-format on
};

/// Says whether a signature is that of a key under a message.
template <class T>
concept verifier = std::predicate<const T&, const public_key&, bytes, const signature&>;

}  // namespace papilio

namespace papilio::inline PAPILIO_MODE::wire {

/// What a document says: how its body is to be read.
enum class signed_kind : std::uint8_t {
    token = 1,       ///< the issuer lets a key join a run
    admission = 2,   ///< the host of a run has let in a member
    revocation = 3,  ///< a key, or a token, counts no more
    rotation = 4,    ///< a key takes the place of another one
    join = 16,
    ready = 17,
    done = 18,
    group = 19,
    settled = 20,
};

/// The kind in a word; empty for numbers that are none.
constexpr std::string_view name(signed_kind kind) noexcept
{
    switch (kind) {
    case signed_kind::token: return "token";
    case signed_kind::admission: return "admission";
    case signed_kind::revocation: return "revocation";
    case signed_kind::rotation: return "rotation";
    case signed_kind::join: return "join";
    case signed_kind::ready: return "ready";
    case signed_kind::done: return "done";
    case signed_kind::group: return "group";
    case signed_kind::settled: return "settled";
    }
    return {};
}

/// Which run of all that there are: half of a SHA-256 of its name and its issuer's key.
using run_id = std::array<std::byte, 16>;

/// What stands before the body of a document.
struct envelope {
    signed_kind kind{};
    public_key key = {};  ///< who has signed it
    run_id run{};
    std::uint32_t round = 0;
    std::uint16_t attempt = 0;
    std::uint64_t sequence = 0;  ///< from 1 on, and higher in each later one of a key and kind
    std::uint64_t expires = 0;   ///< seconds since 1970, by the clock of the world

    static constexpr std::size_t encoded_size = 80;
    friend constexpr bool operator==(const envelope&, const envelope&) = default;
};

inline constexpr std::uint32_t envelope_magic = 0x45504150;  // "PAPE"
inline constexpr std::uint8_t envelope_version = 1;

/// What a receiver knows before it reads a document. What does not match is refused.
struct expected_document {
    signed_kind kind{};
    run_id run{};
    std::optional<public_key> key = {};  ///< who must have signed it, if only one can have
    std::uint64_t above = 0;             ///< the highest sequence of `key` and this kind until now
    std::uint64_t now = 0;               ///< seconds since 1970
    std::size_t largest_body = 0;
};

/// A document that was found to be in order. Borrows the message that it was read from.
struct signed_document {
    envelope head;
    bytes body;
};

/// How far apart two clocks may be, and how long documents may hold that are not kept.
inline constexpr std::uint64_t clock_skew_s = 300;
inline constexpr std::uint64_t longest_validity_s = 2 * 3600;
inline constexpr std::uint64_t longest_token_validity_s = 400 * 86400ull;

}  // namespace papilio::wire

namespace papilio::inline PAPILIO_MODE::wire::detail {

/// Little-endian: u32 magic, u8 version, u8 kind, two bytes of zero, key, run, u32 round, u16
/// attempt, two bytes of zero, u64 sequence, u64 expires.
inline std::array<std::byte, envelope::encoded_size> encode(const envelope& e) noexcept
{
    std::array<std::byte, envelope::encoded_size> to{};
    store(to.data(), envelope_magic);
    store(to.data() + 4, envelope_version);
    store(to.data() + 5, e.kind);
    store(to.data() + 8, e.key.bytes);
    store(to.data() + 40, e.run);
    store(to.data() + 56, e.round);
    store(to.data() + 60, e.attempt);
    store(to.data() + 64, e.sequence);
    store(to.data() + 72, e.expires);
    return to;
}

inline envelope parse_envelope(bytes from)
{
    field_reader reader(from);
    const auto magic = reader.get<std::uint32_t>();
    require(magic == envelope_magic, "the first field of a signed document", "\"PAPE\"", magic);
    const auto version = reader.get<std::uint8_t>();
    require(version == envelope_version, "the version of a signed document", "1", int{version});
    envelope e;
    e.kind = reader.get<signed_kind>();
    require(!name(e.kind).empty(), "the kind of a signed document", "1 to 4 or 16 to 20",
            static_cast<int>(e.kind));
    get_zeros(reader, 2);
    reader.get(e.key.bytes);
    reader.get(e.run);
    e.round = reader.get<std::uint32_t>();
    e.attempt = reader.get<std::uint16_t>();
    get_zeros(reader, 2);
    e.sequence = reader.get<std::uint64_t>();
    e.expires = reader.get<std::uint64_t>();
    return e;
}

/// What is signed: what the document is for, in words, so that no signature of another use of the
/// key fits; then envelope and body. `reserve` more bytes can follow without a copy.
inline std::vector<std::byte> signed_bytes(signed_kind kind, bytes document, std::size_t reserve)
{
    constexpr std::string_view use = "papilio/1/";
    const auto word = name(kind);
    std::vector<std::byte> all;
    all.reserve(use.size() + word.size() + 1 + document.size() + reserve);
    for (const auto part : {use, word})
        for (const char c : part) all.push_back(static_cast<std::byte>(c));
    all.push_back(std::byte{0});
    all.insert(all.end(), document.begin(), document.end());
    return all;
}

constexpr std::uint64_t longest_validity(signed_kind kind) noexcept
{
    return kind == signed_kind::token ? longest_token_validity_s : longest_validity_s;
}

/// Throws unless the document is one that was asked for, by the key that was, and new.
inline void check_envelope(const envelope& e, const expected_document& want)
{
    const auto refuse = [&](const std::string& why) {
        throw std::system_error(errc::refused,
                                "a signed document, \"" + std::string(name(e.kind)) + "\", " + why);
    };
    if (e.kind != want.kind) refuse("came instead of \"" + std::string(name(want.kind)) + "\"");
    if (want.key && e.key != *want.key)
        refuse("is of " + to_text(e.key) + ", not of " + to_text(*want.key));
    if (proves_nothing(e.key)) refuse("has a key by which anything is signed");
    if (e.run != want.run) refuse("is of another run");
    if (e.expires < want.now - std::min(want.now, clock_skew_s)) refuse("has expired");
    if (e.expires > want.now && e.expires - want.now > longest_validity(e.kind) + clock_skew_s)
        refuse("is valid for too long: is the clock right?");
    if (e.sequence <= want.above) refuse("was sent before, or is older than another one");
}

}  // namespace papilio::wire::detail

namespace papilio::inline PAPILIO_MODE::wire {

/// The whole document: envelope, body, signature. `head.key` is the signer's, whatever it was.
template <signer Signer>
std::vector<std::byte> sign_document(envelope head, bytes body, const Signer& by)
{
    head.key = by.key();
    auto all = detail::signed_bytes(head.kind, detail::encode(head),
                                    body.size() + sizeof(signature::bytes));
    const auto begin = all.size() - envelope::encoded_size;
    all.insert(all.end(), body.begin(), body.end());
    const signature proof = by.sign(all);
    all.insert(all.end(), proof.bytes.begin(), proof.bytes.end());
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begin));
    return all;
}

/// Reads a whole message. The body is what its signer has written; whether it makes sense is for
/// its own parser to say. What costs most is looked at last. Throws `errc::bad_message` for bytes
/// that nobody would have signed, `errc::corrupted` where the signature is not that of the key, and
/// `errc::refused` for a document that is in order but not the expected one, with the reason.
template <verifier Verifier>
signed_document read_document(bytes from, const expected_document& want, const Verifier& verify)
{
    constexpr auto rest = envelope::encoded_size + sizeof(signature::bytes);
    detail::require_size(from.size(), "a signed document", rest, rest + want.largest_body);
    const auto document = from.first(from.size() - sizeof(signature::bytes));
    const auto head = detail::parse_envelope(document.first(envelope::encoded_size));
    detail::check_envelope(head, want);
    signature proof;
    std::ranges::copy(from.last(proof.bytes.size()), proof.bytes.begin());
    if (!verify(head.key, bytes(detail::signed_bytes(head.kind, document, 0)), proof))
        throw std::system_error(errc::corrupted,
                                "a signed document, \"" + std::string(name(head.kind)) + "\", of " +
                                    to_text(head.key) + " has a signature that is not its own");
    return {head, document.subspan(envelope::encoded_size)};
}

}  // namespace papilio::wire
