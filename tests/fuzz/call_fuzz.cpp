// The messages of a round: whatever the bytes, a descriptor and a vote are read or refused, and
// what is read says the same when it is written again.

#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>

namespace {

template <class Parse>
void read_or_refuse(Parse parse, papilio::bytes from)
{
    try {
        const auto message = parse(from);
        const auto again = papilio::wire::encode(message);
        PAPILIO_CHECK(std::ranges::equal(again, from.first(again.size())), "lost in reading");
    } catch (const std::system_error& refused) {
        PAPILIO_CHECK(refused.code() == papilio::errc::bad_message, "refused for another reason");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const papilio::bytes from(reinterpret_cast<const std::byte*>(data), size);
    read_or_refuse(papilio::wire::parse_descriptor, from);
    read_or_refuse(papilio::wire::parse_vote, from);
    return 0;
}
