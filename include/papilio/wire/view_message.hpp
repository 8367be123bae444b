#pragma once

#include <papilio/base/bytes.hpp>
#include <papilio/base/config.hpp>
#include <papilio/wire/call_extent.hpp>
#include <papilio/wire/fields.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_fields.hpp>
#include <papilio/wire/view_vote.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

// What voters tell each other of a call's views goes under one kind of tag, `message_kind::view`,
// its messages numbered: which one it is, its first field says.
namespace papilio::inline PAPILIO_MODE::wire {

enum class view_message : std::uint32_t {
    promise = promise_magic,
    proposal = proposal_magic,
    vote = view_vote_magic,
};

/// Which parser reads a message; throws `errc::bad_message` if none does.
inline view_message view_message_of(bytes from)
{
    const auto magic = detail::field_reader(from).get<std::uint32_t>();
    detail::require(magic == promise_magic || magic == proposal_magic || magic == view_vote_magic,
                    "the first field of a message about a call's views",
                    "\"PAPR\", \"PAPP\" or \"PAPW\"", magic);
    return view_message{magic};
}

/// No promise, proposal or vote of a call's later views takes more bytes.
constexpr std::size_t largest_view_message(const call_extent& of) noexcept
{
    return std::max({largest_promise(of), largest_proposal(of), view_vote::encoded_size});
}

}  // namespace papilio::wire
