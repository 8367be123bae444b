// Any 64 bytes are a hello, and any 20 a welcome, that encode to them again, or are refused.

#include <papilio/wire/hello.hpp>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <system_error>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace wire = papilio::wire;
    const auto input = std::as_bytes(std::span(data, size));
    for (std::size_t at = 0; at + wire::hello::encoded_size <= size; ++at) {
        const auto one = input.subspan(at, wire::hello::encoded_size);
        try {
            const auto hello = wire::parse_hello(one.data());
            if (!std::ranges::equal(wire::encode(hello), one)) std::abort();
        } catch (const std::system_error&) {
            // no hello, or one of another version
        }
    }
    for (std::size_t at = 0; at + wire::welcome::encoded_size <= size; ++at) {
        const auto one = input.subspan(at, wire::welcome::encoded_size);
        try {
            const auto welcome = wire::parse_welcome(one.data(), true);
            if (!std::ranges::equal(wire::encode(welcome), one)) std::abort();
        } catch (const std::system_error&) {
            // a refusal
        }
    }
    return 0;
}
