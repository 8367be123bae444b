#include <papilio/transport/detail/message_reader.hpp>

#include <papilio/base/crc32c.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pa = papilio;
using Catch::Matchers::Contains;
using pa::detail::message_reader;

namespace {

void append_message(std::vector<std::byte>& stream, pa::tag t, std::size_t size, int value)
{
    const auto frame = pa::wire::encode(pa::wire::frame{t, static_cast<std::uint32_t>(size)});
    stream.insert(stream.end(), frame.begin(), frame.end());
    stream.insert(stream.end(), size, static_cast<std::byte>(value));
    if (size == 0) return;
    const auto crc = pa::crc32c(pa::bytes(stream).last(size));
    stream.resize(stream.size() + sizeof crc);
    pa::store(stream.data() + stream.size() - sizeof crc, crc);
}

/// Reads one message from the front of `stream` in pieces of at most `most` bytes.
std::vector<std::byte> next_message(message_reader& reader, pa::bytes& stream, std::size_t most,
                                    std::size_t limit = 1000)
{
    for (auto into = reader.buffer(limit); !into.empty(); into = reader.buffer(limit)) {
        const auto n = std::min({into.size(), stream.size(), most});
        REQUIRE(n > 0);
        std::copy_n(stream.begin(), n, into.begin());
        stream = stream.subspan(n);
        reader.received(n);
    }
    return reader.take();
}

}  // namespace

TEST_CASE("a message reader finds the same messages however the stream is cut", "[channel]")
{
    const auto most = GENERATE(as<std::size_t>{}, 1, 15, 16, 17, 5000);
    message_reader reader;
    std::vector<std::byte> stream;
    for (const int size : {0, 5, 1000, 1})
        append_message(stream, pa::tag{}, std::size_t(size), size % 7);
    pa::bytes rest = stream;
    for (const int size : {0, 5, 1000, 1}) {
        const auto message = next_message(reader, rest, most);
        CHECK(message == std::vector<std::byte>(std::size_t(size), std::byte(size % 7)));
    }
    CHECK(rest.empty());
}

TEST_CASE("a message beyond the limit, or of another tag, is refused with the numbers", "[channel]")
{
    message_reader reader;
    std::vector<std::byte> stream;
    append_message(stream, pa::tag{}, 1001, 0);
    pa::bytes rest = stream;
    CHECK_THROWS_WITH(next_message(reader, rest, 5000),
                      Contains("1001 bytes") && Contains("limit of 1000"));

    message_reader other;
    std::vector<std::byte> tagged;
    append_message(tagged, pa::tag{9}, 3, 0);
    rest = tagged;
    CHECK_THROWS_WITH(next_message(other, rest, 5000), Contains("tag 0") && Contains("has 9"));
}

TEST_CASE("a message that was changed on its way is refused", "[channel]")
{
    message_reader reader;
    std::vector<std::byte> stream;
    append_message(stream, pa::tag{}, 100, 3);
    stream[GENERATE(as<std::size_t>{}, 16, 70, 115, 116, 119)] ^= std::byte{1};
    pa::bytes rest = stream;
    CHECK_THROWS_WITH(next_message(reader, rest, 5000),
                      Contains("100 bytes") && Contains("another CRC-32C"));
}
