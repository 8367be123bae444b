#include <papilio/wire/abort.hpp>

#include <catch2/catch.hpp>

#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace pa = papilio;

namespace {

pa::wire::abort_told told_again(const pa::wire::abort_told& a)
{
    return pa::wire::parse_abort(pa::wire::encode_abort(a), 4);
}

std::error_code end_of_parsing(const std::vector<std::byte>& message, std::uint32_t peers = 4)
{
    return pa::test::thrown_by([&] { pa::wire::parse_abort(message, peers); });
}

}  // namespace

TEST_CASE("an abort tells who, which calls, and up to a thousand bytes of the reason")
{
    const auto again = told_again({3, {{7, 0}, {pa::max_call, 32767}}, "the loss is NaN"});
    CHECK(again.aborter == 3);
    CHECK(again.calls == std::vector<pa::wire::aborted_call>{{7, 0}, {pa::max_call, 32767}});
    CHECK(again.reason == "the loss is NaN");
    CHECK(told_again({}).reason.empty());
    const std::string longer(1001, 'a');
    CHECK(told_again({0, {}, longer}).reason == longer.substr(1));
    CHECK(told_again({0, std::vector<pa::wire::aborted_call>(128, {1, 2}), longer}).calls.size() ==
          128);
}

TEST_CASE("what is no abort is refused")
{
    auto message = pa::wire::encode_abort({3, {{7, 0}}, std::string(1000, 'a')});
    CHECK(!end_of_parsing(message));
    CHECK(end_of_parsing(message, 3) == pa::errc::bad_message);  // there is no peer 3
    message.push_back({});
    CHECK(end_of_parsing(message) == pa::errc::bad_message);
    message.resize(19);
    CHECK(end_of_parsing(message) == pa::errc::bad_message);
    message.resize(11);
    CHECK(end_of_parsing(message) == pa::errc::bad_message);
    const auto of = [](std::uint32_t number, std::uint32_t attempt, std::size_t count = 1) {
        return pa::wire::encode_abort(
            {3, std::vector<pa::wire::aborted_call>(count, {number, attempt}), ""});
    };
    CHECK(end_of_parsing(of(0, 0)) == pa::errc::bad_message);
    CHECK(end_of_parsing(of(pa::max_call + 1, 0)) == pa::errc::bad_message);
    CHECK(end_of_parsing(of(1, 32768)) == pa::errc::bad_message);
    CHECK(end_of_parsing(of(1, 0, 129)) == pa::errc::bad_message);
    message = of(1, 0);
    message[0] = std::byte{'Q'};
    CHECK(end_of_parsing(message) == pa::errc::bad_message);
}
