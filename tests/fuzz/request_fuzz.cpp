// What peers ask of each other outside of calls: whatever the bytes, a request is read or refused,
// and what is read says the same when it is written again.

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/swarm/state_transfer.hpp>

#include <algorithm>

namespace {

template <class Parse>
void read_or_refuse(Parse parse, papilio::bytes from)
{
    try {
        const auto again = papilio::detail::encode(parse(from));
        PAPILIO_CHECK(std::ranges::equal(again, from), "lost in reading");
    } catch (const std::system_error& refused) {
        PAPILIO_CHECK(refused.code() == papilio::errc::bad_message, "refused for another reason");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const papilio::bytes from(reinterpret_cast<const std::byte*>(data), size);
    read_or_refuse(papilio::detail::parse_ping, from);
    read_or_refuse(papilio::detail::parse_bandwidth_request, from);
    read_or_refuse(papilio::detail::parse_state_request, from);
    read_or_refuse(papilio::detail::parse_state_offer, from);
    return 0;
}
