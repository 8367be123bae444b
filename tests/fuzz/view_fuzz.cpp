// The messages about the views of a call: whatever the bytes, a promise, a proposal, a vote, an
// answer and an observer's request are read or refused, and what is read says the same when it is
// written again. The first field of what voters tell each other says which parser reads it. The
// first three bytes say how large the call is: peers, parts, columns.

#include <papilio/base/check.hpp>
#include <papilio/wire/answer.hpp>
#include <papilio/wire/chunk_request.hpp>
#include <papilio/wire/promise.hpp>
#include <papilio/wire/proposal.hpp>
#include <papilio/wire/view_message.hpp>
#include <papilio/wire/view_vote.hpp>

#include <algorithm>
#include <cstdint>

namespace {

using papilio::wire::call_extent;

template <class Parse>
bool read_or_refuse(Parse parse, std::size_t largest, papilio::bytes from, const call_extent& of)
{
    try {
        const auto again = papilio::wire::encode(parse(from, of));
        PAPILIO_CHECK(std::ranges::equal(again, from), "a message has two spellings");
        PAPILIO_CHECK(again.size() <= largest, "a message is larger than there can be");
        return true;
    } catch (const std::system_error& refused) {
        PAPILIO_CHECK(refused.code() == papilio::errc::bad_message, "refused for another reason");
        return false;
    }
}

void expect(papilio::wire::view_message which, papilio::bytes from)
{
    PAPILIO_CHECK(papilio::wire::view_message_of(from) == which, "its first field names another");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace wire = papilio::wire;
    if (size < 3) return 0;
    const call_extent of{.peers = data[0], .parts = data[1], .columns = data[2]};
    const auto message = std::as_bytes(std::span(data, size)).subspan(3);
    if (read_or_refuse(wire::parse_promise, wire::largest_promise(of), message, of))
        expect(wire::view_message::promise, message);
    if (read_or_refuse(wire::parse_proposal, wire::largest_proposal(of), message, of))
        expect(wire::view_message::proposal, message);
    const auto parse_vote = [](papilio::bytes from, const call_extent&) {
        return wire::parse_view_vote(from);
    };
    if (read_or_refuse(parse_vote, wire::view_vote::encoded_size, message, of))
        expect(wire::view_message::vote, message);
    read_or_refuse(wire::parse_answer, wire::largest_answer(of), message, of);
    read_or_refuse(wire::parse_chunk_request, 4 * wire::most_chunks_requested, message, of);
    return 0;
}
