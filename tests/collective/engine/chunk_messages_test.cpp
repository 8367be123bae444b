#include <papilio/collective/engine/chunk_messages.hpp>

#include "marked_data.hpp"

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

using namespace papilio;
using namespace papilio::test;
using detail::chunk_messages;
using detail::content;

namespace {

/// Peer `me` of four in two stages: `abc...t` is its input, `ABC...T` its output.
struct scene {
    explicit scene(int me, bool verbatim = false)
        : data(in, out, verbatim), messages(plan, data, me)
    {
    }

    std::vector<std::byte> contribution(int k, std::size_t c, std::vector<int> parts)
    {
        std::vector<std::byte> to(messages.max_contribution(k, parts), std::byte{'#'});
        to.resize(messages.write_contribution(k, c, parts, to));
        return to;
    }
    std::vector<std::byte> results(int k, std::size_t c, std::vector<int> parts)
    {
        std::vector<std::byte> to(messages.max_results(parts), std::byte{'#'});
        to.resize(messages.write_results(k, c, parts, to));
        return to;
    }
    std::error_code reading(int k, std::size_t c, std::vector<int> parts, bytes message)
    {
        return thrown_by([&] { messages.read_results(k, c, parts, message); });
    }

    detail::call_plan plan = four_in_two_stages();
    std::vector<std::byte> in = bytes_of("abcdefghijklmnopqrst");
    std::vector<std::byte> out = bytes_of("ABCDEFGHIJKLMNOPQRST");
    marked_data data;
    chunk_messages messages;
};

}  // namespace

TEST_CASE("a message of the last stage is the chunk alone")
{
    scene s(0);
    CHECK(s.results(1, 0, {2}) == bytes_of("rKL"));
    CHECK(s.results(1, 1, {2}) == bytes_of("rMNO"));
}

TEST_CASE("a message of an earlier stage holds a chunk of each part behind its length")
{
    scene s(0);
    CHECK(s.contribution(0, 0, {1, 3}) == bytes_of(entry("ofg") + entry("opq")));
    CHECK(s.contribution(0, 1, {1, 3}) == bytes_of(entry("ohij") + entry("orst")));
    CHECK(s.results(0, 1, {0, 2}) == bytes_of(entry("rCDE") + entry("rMNO")));
}

TEST_CASE("in the first stage a peer's own elements travel and then what was reduced")
{
    scene s(0);
    CHECK(chunk_messages::kind_in(0) == content::own);
    CHECK(chunk_messages::kind_in(1) == content::reduced);
    CHECK(s.contribution(1, 0, {2}) == bytes_of("rKL"));
}

TEST_CASE("no message is larger than its bound less the descriptor")
{
    scene s(0);
    const std::vector<int> two{1, 3};
    for (const std::size_t c : {0u, 1u}) {
        CHECK(s.contribution(0, c, two).size() + 56 <= s.messages.max_contribution(0, two));
        CHECK(s.results(0, c, two).size() + 56 <= s.messages.max_results(two));
    }
    // The larger chunk has three elements and a mark: two entries of 16 bytes.
    CHECK(s.messages.max_results(two) == 56 + 2 * 16);
}

TEST_CASE("results are read where they belong and nowhere else")
{
    scene s(0);
    CHECK_FALSE(s.reading(0, 1, {1, 3}, bytes_of(entry("r123") + entry("r456"))));
    CHECK(s.out == bytes_of("ABCDEFG123KLMNOPQ456"));
    CHECK_FALSE(s.reading(1, 0, {2}, bytes_of("r78")));
    CHECK(s.out == bytes_of("ABCDEFG12378MNOPQ456"));
}

TEST_CASE("results of the wrong size or the wrong number of parts are refused")
{
    scene s(0);
    const std::vector<int> two{1, 3};
    CHECK(s.reading(0, 1, two, bytes_of(entry("r123"))) == errc::bad_message);
    CHECK(s.reading(0, 1, two, bytes_of(entry("r123") + entry("r456") + entry("r789"))) ==
          errc::bad_message);
    CHECK(s.reading(0, 1, two, bytes_of(entry("r12") + entry("r456"))) == errc::bad_message);
    CHECK(s.reading(0, 1, two, bytes_of(entry("r1234") + entry("r456"))) == errc::bad_message);
    CHECK(s.reading(0, 1, two, {}) == errc::bad_message);
    CHECK(s.reading(1, 0, {2}, bytes_of("r789")) == errc::bad_message);
    CHECK(s.reading(1, 0, {2}, bytes_of(entry("r78"))) == errc::bad_message);
    CHECK(s.reading(1, 0, {2}, {}) == errc::bad_message);
}

TEST_CASE("a message that is cut short anywhere changes nothing at all")
{
    scene s(0);
    const auto before = s.out;
    const auto whole = bytes_of(entry("r123") + entry("r456"));
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(s.reading(0, 1, {1, 3}, bytes(whole).first(size)) == errc::bad_message);
    CHECK(s.out == before);
}

TEST_CASE("a contribution is split into its parts and the last stage's is one")
{
    scene s(0);
    const std::vector<int> two{0, 2}, one{0};
    const auto message = bytes_of(entry("o123") + entry("o45"));
    const auto parts = s.messages.split(0, two, message);
    REQUIRE(parts.size() == 2);
    CHECK(std::vector(parts[0].begin(), parts[0].end()) == bytes_of("o123"));
    CHECK(std::vector(parts[1].begin(), parts[1].end()) == bytes_of("o45"));
    CHECK(s.messages.split(1, one, message).front().size() == message.size());
    CHECK(thrown_by([&] { s.messages.split(0, one, message); }) == errc::bad_message);
    CHECK(thrown_by([&] { s.messages.split(0, two, {}); }) == errc::bad_message);
}

TEST_CASE("an owner's part passes through the codec like everybody's")
{
    scene s(2);
    CHECK(s.messages.encode_own(1) == bytes_of("rmno"));
    CHECK(s.out == bytes_of("ABCDEFGHIJKLmnoPQRST"));
}

TEST_CASE("what travels as it lies is not encoded")
{
    scene s(2, true);
    CHECK(s.messages.verbatim());
    CHECK(s.messages.encode_own(0).empty());
    CHECK(s.out == bytes_of("ABCDEFGHIJklMNOPQRST"));
    CHECK(s.results(1, 1, {2}) == bytes_of("MNO"));
}

TEST_CASE("elements that cannot be encoded are the fault of whose they are")
{
    scene s(0);
    s.in[5] = s.out[10] = std::byte{'?'};
    const auto own = call_error_of([&] { s.contribution(0, 0, {1, 3}); });
    REQUIRE(own);
    CHECK(own->code() == errc::not_finite);
    CHECK(own->culprit() == 0);
    CHECK(own->where() == phase::contribution);
    const auto result = call_error_of([&] { s.contribution(1, 0, {2}); });
    REQUIRE(result);
    CHECK(result->code() == errc::not_finite);
    CHECK(result->culprit() == -1);
}

TEST_CASE("a part without a chunk in a column has an empty entry")
{
    scene s(0);
    s.plan.parts = {{0, 1}, {1, 1}, {2, 3}, {5, 1}};
    // One granule in two columns is in the second.
    CHECK(s.results(0, 0, {1, 3}) == bytes_of(std::string(16, '\0')));
    CHECK(s.results(0, 1, {1, 3}) == bytes_of(entry("rB") + entry("rF")));
    CHECK_FALSE(s.reading(0, 0, {1, 3}, bytes_of(std::string(16, '\0'))));
    CHECK(s.reading(0, 0, {1, 3}, bytes_of(entry("r") + std::string(8, '\0'))) ==
          errc::bad_message);
}
