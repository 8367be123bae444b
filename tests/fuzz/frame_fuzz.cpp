// Any 16 bytes are a frame that encodes to them again, or are refused.

#include <papilio/wire/frame.hpp>

#include <algorithm>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    namespace wire = papilio::wire;
    const auto input = std::as_bytes(std::span(data, size));
    for (std::size_t at = 0; at + wire::frame::encoded_size <= size && at < 256; at += 16) {
        try {
            const auto frame = wire::parse_frame(input.data() + at);
            if (!std::ranges::equal(wire::encode(frame),
                                    input.subspan(at, wire::frame::encoded_size)))
                std::abort();
        } catch (const std::system_error& refusal) {
            if (refusal.code() != papilio::errc::bad_message) std::abort();
        }
    }
    if (size >= 12) {  // and every frame that can be written is read again
        const wire::frame frame{papilio::tag{papilio::load<std::uint64_t>(input.data())},
                                papilio::load<std::uint32_t>(input.data() + 8)};
        if (wire::parse_frame(wire::encode(frame).data()) != frame) std::abort();
    }
    return 0;
}
