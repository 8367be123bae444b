#include <papilio/wire/abort.hpp>

#include <catch2/catch.hpp>

#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace pa = papilio;

TEST_CASE("the reason of an abort is told up to a thousand bytes of it")
{
    CHECK(pa::wire::parse_abort(pa::wire::encode_abort("the loss is NaN")) == "the loss is NaN");
    CHECK(pa::wire::parse_abort(pa::wire::encode_abort("")).empty());
    const std::string longer(1001, 'a');
    CHECK(pa::wire::parse_abort(pa::wire::encode_abort(longer)) == longer.substr(1));
}

TEST_CASE("what is no abort is refused")
{
    auto message = pa::wire::encode_abort(std::string(1000, 'a'));
    message.push_back({});
    CHECK(pa::test::thrown_by([&] { pa::wire::parse_abort(message); }) == pa::errc::bad_message);
    message.resize(3);
    CHECK(pa::test::thrown_by([&] { pa::wire::parse_abort(message); }) == pa::errc::bad_message);
    message.resize(8);
    message[0] = std::byte{'Q'};
    CHECK(pa::test::thrown_by([&] { pa::wire::parse_abort(message); }) == pa::errc::bad_message);
}
