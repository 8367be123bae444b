#include <papilio/collective/engine/length_prefix.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <cstdint>

using namespace papilio;
using namespace papilio::detail;
using test::thrown_by;

namespace {

std::vector<std::byte> filled(std::size_t size, int value)
{
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

/// A message that says `length` and goes on with `rest` bytes of ones.
std::vector<std::byte> claiming(std::uint64_t length, std::size_t rest)
{
    auto message = filled(8 + rest, 1);
    store(message.data(), length);
    return message;
}

std::error_code taking_one_from(bytes message)
{
    return thrown_by([&] { next_entry(message); });
}

}  // namespace

TEST_CASE("an entry takes its length and a multiple of eight bytes")
{
    CHECK(prefixed_size(0) == 8);
    CHECK(prefixed_size(1) == 16);
    CHECK(prefixed_size(7) == 16);
    CHECK(prefixed_size(8) == 16);
    CHECK(prefixed_size(9) == 24);
}

TEST_CASE("an entry is its length in little-endian order and its bytes and zeros")
{
    auto room = filled(40, 0xee);
    for (std::size_t i = 0; i < 11; ++i) room[8 + i] = static_cast<std::byte>(i + 1);
    CHECK(finish_entry(room, 11) == 24);
    std::vector<std::byte> expected = filled(40, 0xee);
    for (std::size_t i = 0; i < 24; ++i) expected[i] = std::byte{};
    expected[0] = std::byte{11};
    for (std::size_t i = 0; i < 11; ++i) expected[8 + i] = static_cast<std::byte>(i + 1);
    CHECK(room == expected);
    CHECK(length_prefixed(bytes(expected).subspan(8, 11)) ==
          std::vector(expected.begin(), expected.begin() + 24));
}

TEST_CASE("a length of more than one byte is written in full")
{
    auto room = filled(prefixed_size(0x0123), 1);
    finish_entry(room, 0x0123);
    CHECK(room[0] == std::byte{0x23});
    CHECK(room[1] == std::byte{0x01});
    for (std::size_t i = 2; i < 8; ++i) CHECK(room[i] == std::byte{});
}

TEST_CASE("entries are taken as they were put, one after the other")
{
    std::vector<std::byte> message;
    const std::size_t sizes[] = {3, 0, 8, 17};
    for (const auto size : sizes) {
        const auto entry = length_prefixed(filled(size, static_cast<int>(size)));
        message.insert(message.end(), entry.begin(), entry.end());
    }
    const auto entries = entries_of(message, 4);
    REQUIRE(entries.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(std::vector(entries[i].begin(), entries[i].end()) ==
              filled(sizes[i], static_cast<int>(sizes[i])));
        CHECK((entries[i].data() - message.data()) % 8 == 0);
    }
}

TEST_CASE("a length beyond the end of its message is refused")
{
    for (const std::size_t rest : {0u, 8u, 16u})
        for (const std::uint64_t more : {1u, 8u, 9u})
            CHECK(taking_one_from(claiming(rest + more, rest)) == errc::bad_message);
    for (const std::uint64_t huge : {UINT64_MAX, UINT64_MAX - 6, UINT64_MAX - 7, UINT64_MAX - 14,
                                     UINT64_MAX - 15, UINT64_MAX / 2, std::uint64_t{1} << 32})
        CHECK(taking_one_from(claiming(huge, 16)) == errc::bad_message);
}

TEST_CASE("an entry without the whole of its padding is refused")
{
    auto whole = length_prefixed(filled(5, 1));
    REQUIRE(whole.size() == 16);
    CHECK_FALSE(taking_one_from(whole));
    for (std::ptrdiff_t size = 0; size < 16; ++size) {
        // A copy, so that the sanitizers see whether anything behind it is read.
        const std::vector cut(whole.begin(), whole.begin() + size);
        CHECK(taking_one_from(cut) == errc::bad_message);
    }
}

TEST_CASE("an entry whose padding is not zero is refused")
{
    const auto whole = length_prefixed(filled(5, 1));
    for (std::size_t i = 13; i < 16; ++i) {
        auto bad = whole;
        bad[i] = std::byte{0x80};
        CHECK(taking_one_from(bad) == errc::bad_message);
    }
}

TEST_CASE("a message about more parts or fewer than there are is refused")
{
    auto two = length_prefixed(filled(4, 1));
    two.insert(two.end(), two.begin(), two.begin() + 16);
    CHECK(entries_of(two, 2).size() == 2);
    CHECK(thrown_by([&] { entries_of(two, 1); }) == errc::bad_message);
    CHECK(thrown_by([&] { entries_of(two, 3); }) == errc::bad_message);
    CHECK(thrown_by([&] { entries_of(two, 0); }) == errc::bad_message);
    CHECK(entries_of({}, 0).empty());
    two.push_back(std::byte{});
    CHECK(thrown_by([&] { entries_of(two, 2); }) == errc::bad_message);
}
