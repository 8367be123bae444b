// Parses arbitrary bytes as a message of a swarm: `parse_swarm` must throw `errc::bad_message`, or
// give a message that is written as the same bytes again.

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/swarm.hpp>

#include <algorithm>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace papilio;
    const auto input = std::as_bytes(std::span(data, size));
    try {
        const auto again = wire::encode(wire::parse_swarm(input));
        PAPILIO_CHECK(std::ranges::equal(again, input), "a message has two spellings");
    } catch (const std::system_error& error) {
        PAPILIO_CHECK(error.code() == errc::bad_message, "parsing threw something else");
    }
    return 0;
}
