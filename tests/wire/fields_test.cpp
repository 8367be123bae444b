#include <papilio/wire/fields.hpp>

#include <catch2/catch.hpp>

#include <array>

using papilio::bytes;
using papilio::wire::detail::field_reader;

TEST_CASE("a field that goes on beyond the end of its message is refused", "[wire]")
{
    const std::array<std::byte, 8> message{std::byte{3}, std::byte{'a'}, std::byte{'b'},
                                           std::byte{'c'}};
    const auto holds = [&](std::size_t size, auto read) {
        field_reader fields(bytes(message).first(size));
        try {
            read(fields);
        } catch (const std::system_error& failure) {
            CHECK(failure.code() == papilio::errc::bad_message);
            return false;
        }
        return true;
    };
    const auto number = [](field_reader& f) { f.get<std::uint32_t>(); };
    const auto text = [](field_reader& f) { f.get_text(); };
    for (const std::size_t size : {0, 1, 2, 3}) {
        CHECK_FALSE(holds(size, number));
        CHECK_FALSE(holds(size, text));
    }
    CHECK(holds(4, number));
    CHECK(holds(4, text));
    CHECK(field_reader(message).get_text() == "abc");
}
