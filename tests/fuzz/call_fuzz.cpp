// The messages of a round: whatever the bytes, a descriptor, a vote and weights are read or
// refused, and what is read says the same when it is written again.

#include <papilio/wire/descriptor.hpp>
#include <papilio/wire/vote.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace {

struct weights {
    std::vector<double> all;
};

std::vector<std::byte> encode(const weights& read)
{
    std::vector<std::byte> message(read.all.size() * sizeof(double));
    papilio::wire::store_weights(read.all, message);
    return message;
}

template <class Parse>
void read_or_refuse(Parse parse, papilio::bytes from)
{
    try {
        const auto message = parse(from);
        const auto again = encode(message);
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
    const auto count = size == 0 ? 0 : data[0] % 16u;
    read_or_refuse(
        [&](papilio::bytes all) { return weights{papilio::wire::parse_weights(all, count)}; },
        from);
    return 0;
}
