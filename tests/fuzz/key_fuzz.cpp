// The id of a peer: whatever the text, it is read or refused, and what is read is written again in
// the same way.

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/base/public_key.hpp>

#include <cstdint>
#include <string_view>
#include <system_error>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const auto key = papilio::parse_public_key(text);
        PAPILIO_CHECK(to_text(key) == text, "a key has two spellings");
    } catch (const std::system_error& refused) {
        PAPILIO_CHECK(refused.code() == papilio::errc::bad_argument, "refused for another reason");
    }
    return 0;
}
