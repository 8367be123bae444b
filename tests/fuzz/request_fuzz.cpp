// What peers ask of each other outside of calls: whatever the bytes, a request is read or refused,
// and what is read says the same when it is written again.

#include <papilio/probe/bandwidth.hpp>
#include <papilio/probe/round_trip.hpp>
#include <papilio/swarm/state_transfer.hpp>
#include <papilio/swarm/update_transfer.hpp>

#include <algorithm>

namespace {

using papilio::detail::encode;

struct update_offer {
    std::vector<std::uint64_t> sizes;
};
update_offer parse_update_offer(papilio::bytes from)
{
    return {papilio::detail::parse_update_offer(from, std::uint64_t{1} << 40)};
}
std::vector<std::byte> encode(const update_offer& o)
{
    return papilio::detail::encode_update_offer(o.sizes);
}

template <class Parse>
void read_or_refuse(Parse parse, papilio::bytes from)
{
    try {
        const auto again = encode(parse(from));
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
    read_or_refuse(papilio::detail::parse_update_request, from);
    read_or_refuse(parse_update_offer, from);
    return 0;
}
