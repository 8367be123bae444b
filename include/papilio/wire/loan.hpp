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

/// Says, under `loan_tag`, where a message lies that its receiver reads in its sender's memory. The
/// receiver answers with `flow_kind::returned` when it is through with it.
struct loan {
    tag what{};                ///< the tag of the message
    std::uint64_t number = 0;  ///< of the loan, on its link
    std::uint64_t offset = 0;  ///< in the memory that the sender shares
    std::uint32_t size = 0;

    static constexpr std::size_t encoded_size = 32;
    friend constexpr bool operator==(const loan&, const loan&) = default;
};

/// How many messages may be lent over a link at a time, in one direction.
inline constexpr std::size_t max_loans = 64;

/// Little-endian: u64 tag, u64 number, u64 offset, u32 size, four bytes of zero.
inline std::array<std::byte, loan::encoded_size> encode(const loan& l) noexcept
{
    std::array<std::byte, loan::encoded_size> to;
    store(to.data(), static_cast<std::uint64_t>(l.what));
    store(to.data() + 8, l.number);
    store(to.data() + 16, l.offset);
    store(to.data() + 24, l.size);
    store(to.data() + 28, std::uint32_t{0});
    return to;
}

/// Reads the content of a frame under `loan_tag`; throws `errc::bad_message` if no honest peer
/// wrote it. Where the message lies is not checked.
inline loan parse_loan(bytes from)
{
    const auto require = [](bool valid, const char* what, const char* range, std::uint64_t found) {
        if (!valid) throw papilio::detail::bad_value(errc::bad_message, what, range, found);
    };
    require(from.size() == loan::encoded_size, "the size of a frame about a loan", "32",
            from.size());
    const loan l{tag{load<std::uint64_t>(from.data())}, load<std::uint64_t>(from.data() + 8),
                 load<std::uint64_t>(from.data() + 16), load<std::uint32_t>(from.data() + 24)};
    const auto rest = load<std::uint32_t>(from.data() + 28);
    require(l.what < first_reserved_tag, "the tag of a loan", "below the link's own",
            static_cast<std::uint64_t>(l.what));
    require(l.number > 0, "the number of a loan", "at least 1", l.number);
    require(l.size > 0, "the size of a loan", "at least 1", l.size);
    require(rest == 0, "the end of a frame about a loan", "0", rest);
    return l;
}

}  // namespace papilio::wire
