#include <papilio/wire/view_vote.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::view_vote vote_in_3{.view = 3, .call = 77, .settlement = 78, .result = 79};

bool view_vote_refused(pa::bytes message)
{
    return pa::test::thrown_by([&] { wire::parse_view_vote(message); }) == pa::errc::bad_message;
}

}  // namespace

TEST_CASE("a vote of a later view is read as it was written")
{
    CHECK(wire::parse_view_vote(wire::encode(vote_in_3)) == vote_in_3);
    const wire::view_vote last{wire::max_view, ~std::uint64_t{0}, 1, ~std::uint64_t{0}};
    CHECK(wire::parse_view_vote(wire::encode(last)) == last);
}

TEST_CASE("a vote of a later view has the bytes that its format says")
{
    const auto message = wire::encode(vote_in_3);
    REQUIRE(message.size() == 32);
    CHECK(pa::load<std::uint32_t>(message.data()) == wire::view_vote_magic);
    CHECK(pa::load<std::uint8_t>(&message[4]) == 3);
    CHECK(pa::load<std::uint64_t>(&message[8]) == 77);
    CHECK(pa::load<std::uint64_t>(&message[16]) == 78);
    CHECK(pa::load<std::uint64_t>(&message[24]) == 79);
}

TEST_CASE("there is no such vote in view 0, whose votes are others, nor beyond the last view")
{
    for (const auto view : {std::uint8_t{0}, std::uint8_t{32}, std::uint8_t{255}})
        CHECK(view_vote_refused(wire::encode(wire::view_vote{view, 77, 78})));
}

TEST_CASE(
    "a vote of a later view that is cut, longer or of other bytes where none may be is refused")
{
    const auto good = wire::encode(vote_in_3);
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(view_vote_refused(pa::bytes(good).first(size)));
    std::vector<std::byte> longer(good.begin(), good.end());
    longer.resize(good.size() + 1);
    CHECK(view_vote_refused(longer));
    for (const std::size_t at : {0u, 5u, 6u, 7u}) {
        auto other = good;
        other[at] ^= std::byte{0x80};
        CHECK(view_vote_refused(other));
    }
}
