#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace papilio::inline PAPILIO_MODE {

/// Who somebody is: an ed25519 public key (RFC 8032). Whoever signs with the private key that
/// belongs to it is that peer, under whatever name and at whatever address.
struct public_key {
    std::array<std::byte, 32> bytes{};
    friend constexpr auto operator<=>(const public_key&, const public_key&) = default;
};

/// Of ed25519: made by a private key of some bytes, and checked with the public one.
struct signature {
    std::array<std::byte, 64> bytes{};
    friend constexpr auto operator<=>(const signature&, const signature&) = default;
};

/// The key as people pass it on: "pap1" and 56 small letters and digits, the base32 (RFC 4648) of
/// its bytes and of the first three of the SHA-256 of "papilio/id", a zero and the key, by which a
/// mistyped one is found out.
std::string to_text(const public_key& key);

/// Enough of that for a table of few peers: the first eight letters after "pap1". Two keys may
/// share them.
std::string abbreviated(const public_key& key);

/// Reads what `to_text` has written, and nothing else. Throws `errc::bad_argument`, which says what
/// is wrong, also for a key that proves nothing.
public_key parse_public_key(std::string_view text);

/// Whether signatures by this key prove nothing, so that it is nobody's: it is a point of small
/// order, for which some bytes "sign" any message (C. Cremers and D. Jackson, "Prime, Order
/// Please!", 2019, section 4), or a number that RFC 8032 writes in another way. Of what is left,
/// about half is no point of the curve: no signature fits that.
bool proves_nothing(const public_key& key) noexcept;

}  // namespace papilio

template <>
struct std::hash<papilio::public_key> {
    std::size_t operator()(const papilio::public_key& key) const noexcept
    {
        // Good for keys that nobody has chosen by these bits, such as those of a run's members.
        return papilio::load<std::size_t>(key.bytes.data());
    }
};

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/base/impl/public_key.hpp>
#endif
