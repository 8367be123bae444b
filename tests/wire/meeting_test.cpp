#include <papilio/wire/meeting.hpp>

#include <catch2/catch.hpp>

#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace pa = papilio;

namespace {

const pa::wire::meeting_place listens{"node-2", 27100, "boot-1", "papilio-27100"};

pa::wire::arrival_told arrives(std::uint32_t rank, std::uint32_t size)
{
    return {rank, size, 77, listens};
}

std::error_code end_of_arrival(const std::vector<std::byte>& message)
{
    return pa::test::thrown_by([&] { pa::wire::parse_arrival(message); });
}

}  // namespace

TEST_CASE("who arrives at a meeting, and the list of all, are read as they were written")
{
    CHECK(pa::wire::parse_arrival(pa::wire::encode(arrives(2, 3))) == arrives(2, 3));
    const std::vector<pa::wire::meeting_place> all{listens, {}, listens};
    CHECK(pa::wire::parse_places(pa::wire::encode(all)) == all);
    pa::wire::meeting_place longest{std::string(255, 'a'), 1, std::string(255, 'b'),
                                    std::string(255, 'c')};
    CHECK(pa::wire::encode(std::vector{longest, longest}).size() == pa::wire::max_places_bytes(2));
    CHECK(pa::wire::encode(pa::wire::arrival_told{0, 1, 0, longest}).size() <=
          pa::wire::max_arrival_bytes);
}

TEST_CASE("what no honest peer says at a meeting is refused")
{
    CHECK(end_of_arrival(pa::wire::encode(arrives(3, 3))) == pa::errc::bad_message);
    CHECK(end_of_arrival(pa::wire::encode(arrives(0, 0))) == pa::errc::bad_message);
    CHECK(end_of_arrival(pa::wire::encode(arrives(0, 4097))) == pa::errc::bad_message);
    auto longer = pa::wire::encode(arrives(1, 3));
    longer.push_back({});
    CHECK(end_of_arrival(longer) == pa::errc::bad_message);
    longer.resize(longer.size() - 2);
    CHECK(end_of_arrival(longer) == pa::errc::bad_message);
    CHECK(end_of_arrival(pa::wire::encode(std::vector{listens})) == pa::errc::bad_message);
    CHECK(pa::test::thrown_by([] {
              pa::wire::parse_places(pa::wire::encode(std::vector<pa::wire::meeting_place>()));
          }) == pa::errc::bad_message);
}
