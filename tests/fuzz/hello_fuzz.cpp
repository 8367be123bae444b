// Any 32 bytes are a hello that encodes to them again, or are refused.

#include <papilio/wire/hello.hpp>

#include <algorithm>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace wire = papilio::wire;
    const auto input = std::as_bytes(std::span(data, size));
    for (std::size_t at = 0; at + wire::hello::encoded_size <= size; ++at) {
        const auto hello = wire::parse_hello(input.data() + at);
        if (hello &&
            !std::ranges::equal(wire::encode(*hello), input.subspan(at, wire::hello::encoded_size)))
            std::abort();
    }
    return 0;
}
