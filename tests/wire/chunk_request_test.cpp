#include <papilio/wire/chunk_request.hpp>

#include <papilio/base/error.hpp>

#include <catch2/catch.hpp>

#include <system_error>

namespace wire = papilio::wire;

namespace {

constexpr wire::call_extent six_chunks{.peers = 3, .parts = 3, .columns = 2};

bool is_no_chunk_request(papilio::bytes message)
{
    try {
        wire::parse_chunk_request(message, six_chunks);
        return false;
    } catch (const std::system_error& failure) {
        return failure.code() == papilio::errc::bad_message;
    }
}

}  // namespace

TEST_CASE("a request for chunks is read as it was written, and one for none is empty")
{
    const wire::chunk_request wanted{0, 5, 3};
    CHECK(wire::parse_chunk_request(wire::encode(wanted), six_chunks) == wanted);
    CHECK(wire::encode(wire::chunk_request{}).empty());
    CHECK(wire::parse_chunk_request({}, six_chunks).empty());
}

TEST_CASE("a request for a chunk that is not, for too many, or for half a one is refused")
{
    CHECK(is_no_chunk_request(wire::encode(wire::chunk_request{6})));
    CHECK_FALSE(
        is_no_chunk_request(wire::encode(wire::chunk_request(wire::most_chunks_requested, 1))));
    CHECK(
        is_no_chunk_request(wire::encode(wire::chunk_request(wire::most_chunks_requested + 1, 1))));
    const auto whole = wire::encode(wire::chunk_request{1, 2});
    CHECK(is_no_chunk_request(papilio::bytes(whole).first(6)));
}
