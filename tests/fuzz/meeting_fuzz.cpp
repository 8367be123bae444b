// Parses arbitrary bytes as the messages of communicators: of peers that meet, and of one that
// aborts. The parsers must throw `errc::bad_message`, or give what is written as the same bytes.

#include <papilio/base/check.hpp>
#include <papilio/base/error.hpp>
#include <papilio/wire/abort.hpp>
#include <papilio/wire/meeting.hpp>

#include <algorithm>
#include <cstdint>

namespace {

template <class Parse, class Encode>
void check_spelling(papilio::bytes input, Parse parse, Encode encode)
{
    try {
        const auto again = encode(parse(input));
        PAPILIO_CHECK(std::ranges::equal(again, input), "a message has two spellings");
    } catch (const std::system_error& error) {
        PAPILIO_CHECK(error.code() == papilio::errc::bad_message, "parsing threw something else");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace papilio;
    const auto input = std::as_bytes(std::span(data, size));
    const auto encode = [](const auto& m) { return wire::encode(m); };
    check_spelling(input, wire::parse_arrival, encode);
    check_spelling(input, wire::parse_places, encode);
    check_spelling(
        input, [](bytes b) { return wire::parse_abort(b, 4); }, wire::encode_abort);
    return 0;
}
