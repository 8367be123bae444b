#include <papilio/wire/request.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;

namespace {

struct question {
    std::uint32_t magic = 0x44434241;
    std::uint32_t request = 0;
    std::uint64_t what = 0;
};

constexpr std::uint32_t number = pa::max_call + 3;

bool is_refused(const std::vector<std::byte>& encoded)
{
    try {
        pa::detail::read_request<question>(encoded, "no question");
    } catch (const std::system_error& failure) {
        return failure.code() == pa::errc::bad_message;
    }
    return false;
}

std::vector<std::byte> encoded(const question& q)
{
    const auto array = pa::detail::encode(q);
    return {array.begin(), array.end()};
}

struct padded {
    std::uint32_t magic = 1;
    std::uint32_t request = 0;
    std::uint8_t what = 0;
};
static_assert(!pa::detail::request_message<padded>, "padding would be sent");

}  // namespace

TEST_CASE("a request comes back as it was written", "[wire]")
{
    const auto message = encoded({.request = number, .what = 0x1122334455667788});
    REQUIRE(message.size() == 16);
    CHECK(message[0] == std::byte{0x41});
    CHECK(message[8] == std::byte{0x88});
    const auto again = pa::detail::read_request<question>(message, "no question");
    CHECK(again.request == number);
    CHECK(again.what == 0x1122334455667788);
}

TEST_CASE("what is no request is refused", "[wire]")
{
    CHECK(is_refused({}));
    CHECK(is_refused(std::vector<std::byte>(16)));
    CHECK(is_refused(encoded({.magic = 1, .request = number})));
    CHECK(is_refused(encoded({.request = pa::max_call})));
    CHECK(is_refused(encoded({.request = pa::max_tag_call + 1})));
    auto longer = encoded({.request = number});
    longer.emplace_back();
    CHECK(is_refused(longer));
}
