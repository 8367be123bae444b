#pragma once

#include <papilio/base/bad_value.hpp>
#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/frame.hpp>
#include <papilio/wire/tag.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace papilio::inline PAPILIO_MODE::wire {

/// What a frame of flow control says, which two ends of a link send each other under `flow_tag`.
enum class flow_kind : std::uint8_t {
    window = 1,  ///< early messages may cost `subject` in all, since the link began
    announce,  ///< a message of `size` bytes waits under the tag `subject`: the `number`th that did
    withdraw,  ///< the announced message `number`, under the tag `subject`, does not wait any more
    grant,     ///< the announced message `number` may come: a receive waits for it
    decline,   ///< the announced message `number` would be discarded: it need not come
    over,      ///< the sender is through with the call of the tag `subject`, without success
    returned,  ///< the sender is through with the loan `number`
};

/// A frame of flow control. Fields that its kind does not name are 0.
struct flow {
    flow_kind kind{};
    std::uint32_t size = 0;
    std::uint64_t number = 0;
    std::uint64_t subject = 0;

    static constexpr std::size_t encoded_size = 24;
    friend constexpr bool operator==(const flow&, const flow&) = default;
};

/// What a message of `size` bytes costs while it is early. No less than its receiver needs to keep
/// it, bookkeeping included, so that empty messages count as well.
constexpr std::uint64_t early_cost(std::uint64_t size) noexcept
{
    return size + size / 8 + 192;
}

/// What the early messages of a link may cost before the first `window` has come.
inline constexpr std::size_t first_window = std::size_t{64} << 10;

/// How many messages may be announced at a time.
inline constexpr std::size_t max_announced = std::size_t{1} << 16;

/// Little-endian: u8 kind, three bytes of zero, u32 size, u64 number, u64 subject.
inline std::array<std::byte, flow::encoded_size> encode(const flow& f) noexcept
{
    std::array<std::byte, flow::encoded_size> to;
    store(to.data(), std::uint32_t{static_cast<std::uint8_t>(f.kind)});
    store(to.data() + 4, f.size);
    store(to.data() + 8, f.number);
    store(to.data() + 16, f.subject);
    return to;
}

/// Reads the content of a frame under `flow_tag`; throws `errc::bad_message` if no honest peer
/// wrote it.
inline flow parse_flow(bytes from)
{
    const auto require = [](bool valid, const char* what, const char* range, std::uint64_t found) {
        if (!valid) throw papilio::detail::bad_value(errc::bad_message, what, range, found);
    };
    require(from.size() == flow::encoded_size, "the size of a frame of flow control", "24",
            from.size());
    const auto kind = load<std::uint32_t>(from.data());
    require(kind >= 1 && kind <= 7, "the kind of a frame of flow control", "1 to 7", kind);
    const flow f{static_cast<flow_kind>(kind), load<std::uint32_t>(from.data() + 4),
                 load<std::uint64_t>(from.data() + 8), load<std::uint64_t>(from.data() + 16)};
    const auto is = [&](auto... kinds) { return ((f.kind == kinds) || ...); };
    using enum flow_kind;
    if (!is(announce)) require(f.size == 0, "the size in a frame of flow control", "0", f.size);
    if (is(window, over))
        require(f.number == 0, "the number in a frame of flow control", "0", f.number);
    else
        require(f.number > 0, "the number of an announced message", "at least 1", f.number);
    if (is(grant, decline, returned))
        require(f.subject == 0, "the subject in a frame of flow control", "0", f.subject);
    if (is(announce, withdraw, over))
        require(tag{f.subject} < first_reserved_tag, "the tag in a frame of flow control",
                "below the link's own", f.subject);
    return f;
}

}  // namespace papilio::wire
