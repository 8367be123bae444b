#include <papilio/wire/signed.hpp>

#include <papilio/sim/toy_signer.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr std::uint64_t noon = 1'800'000'000;
const pa::sim::toy_signer member(1);
const pa::sim::toy_signer stranger(2);

wire::run_id run_number(int n)
{
    wire::run_id run{};
    run[0] = static_cast<std::byte>(n);
    return run;
}

wire::envelope ready_head()
{
    return {.kind = wire::signed_kind::ready,
            .key = {},
            .run = run_number(1),
            .round = 17,
            .attempt = 3,
            .sequence = 1000,
            .expires = noon + 60};
}

wire::expected_document ready_expected()
{
    return {.kind = wire::signed_kind::ready,
            .run = run_number(1),
            .key = member.key(),
            .above = 999,
            .now = noon,
            .largest_body = 100};
}

const std::vector<std::byte> ready_body{std::byte{5}, std::byte{6}, std::byte{7}};

std::vector<std::byte> ready_document()
{
    return wire::sign_document(ready_head(), ready_body, member);
}

wire::signed_document read_by_toy(pa::bytes message, const wire::expected_document& want)
{
    return wire::read_document(message, want, pa::sim::toy_verifier());
}

std::error_code refusal_of(pa::bytes message, const wire::expected_document& want)
{
    return pa::test::thrown_by([&] { read_by_toy(message, want); });
}

/// Why a document is refused that was signed with `change` made to its head.
template <class Change>
std::error_code refusal_with(Change change, const wire::expected_document& want = ready_expected())
{
    auto head = ready_head();
    change(head);
    return refusal_of(wire::sign_document(head, ready_body, member), want);
}

}  // namespace

TEST_CASE("a signed document is read as it was written")
{
    const auto document = ready_document();
    const auto read = read_by_toy(document, ready_expected());
    auto head = ready_head();
    head.key = member.key();
    CHECK(read.head == head);
    CHECK(std::ranges::equal(read.body, ready_body));

    const auto empty = wire::sign_document(ready_head(), {}, member);
    CHECK(read_by_toy(empty, ready_expected()).body.empty());
}

TEST_CASE("a signed document has the bytes that its format says")
{
    const auto document = ready_document();
    REQUIRE(document.size() == 80 + 3 + 64);
    CHECK(pa::load<std::uint32_t>(&document[0]) == 0x45504150);
    CHECK(pa::load<std::uint8_t>(&document[4]) == 1);
    CHECK(pa::load<std::uint8_t>(&document[5]) == 17);
    CHECK(pa::load<std::uint16_t>(&document[6]) == 0);
    CHECK(std::equal(document.begin() + 8, document.begin() + 40, member.key().bytes.begin()));
    CHECK(pa::load<std::uint8_t>(&document[40]) == 1);
    CHECK(pa::load<std::uint32_t>(&document[56]) == 17);
    CHECK(pa::load<std::uint16_t>(&document[60]) == 3);
    CHECK(pa::load<std::uint16_t>(&document[62]) == 0);
    CHECK(pa::load<std::uint64_t>(&document[64]) == 1000);
    CHECK(pa::load<std::uint64_t>(&document[72]) == noon + 60);
    CHECK(document[80] == std::byte{5});
}

TEST_CASE("what is signed begins with what it is for")
{
    const auto document = ready_document();
    std::vector<std::byte> text;
    for (const char c : std::string_view("papilio/1/ready\0", 16))
        text.push_back(static_cast<std::byte>(c));
    text.insert(text.end(), document.begin(), document.end() - 64);
    const auto proof = member.sign(text);
    CHECK(std::equal(proof.bytes.begin(), proof.bytes.end(), document.end() - 64));
}

TEST_CASE("no byte of a signed document can be changed, and none left out or added")
{
    const auto good = ready_document();
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto other = good;
        other[at] ^= std::byte{0x20};
        CHECK(refusal_of(other, ready_expected()));
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(refusal_of(pa::bytes(good).first(size), ready_expected()));
    auto longer = good;
    longer.push_back(std::byte{0});
    CHECK(refusal_of(longer, ready_expected()) == pa::errc::corrupted);
}

TEST_CASE("a signed document that is larger than its kind can be is not looked at")
{
    const std::vector<std::byte> body(101);
    const auto document = wire::sign_document(ready_head(), body, member);
    CHECK(refusal_of(document, ready_expected()) == pa::errc::bad_message);
}

TEST_CASE("a document of another kind, run or key than was expected is refused")
{
    CHECK(refusal_with([](auto& h) { h.kind = wire::signed_kind::done; }) == pa::errc::refused);
    CHECK(refusal_with([](auto& h) { h.run = run_number(2); }) == pa::errc::refused);
    const auto foreign = wire::sign_document(ready_head(), ready_body, stranger);
    CHECK(refusal_of(foreign, ready_expected()) == pa::errc::refused);
    auto from_anybody = ready_expected();
    from_anybody.key.reset();
    CHECK_FALSE(refusal_of(foreign, from_anybody));
}

TEST_CASE("a document in somebody else's name is corrupted")
{
    auto forged = wire::sign_document(ready_head(), ready_body, stranger);
    std::ranges::copy(member.key().bytes, forged.begin() + 8);
    CHECK(refusal_of(forged, ready_expected()) == pa::errc::corrupted);
}

TEST_CASE("a document that was sent before is refused, and so is an older one")
{
    const auto document = ready_document();
    auto want = ready_expected();
    want.above = 1000;
    CHECK(refusal_of(document, want) == pa::errc::refused);
    want.above = 5000;
    CHECK(refusal_of(document, want) == pa::errc::refused);
}

TEST_CASE("a document holds until it expires, by clocks that differ by five minutes")
{
    const auto expiring = [](std::uint64_t at) {
        return refusal_with([at](auto& h) { h.expires = at; });
    };
    CHECK_FALSE(expiring(noon));
    CHECK_FALSE(expiring(noon - 300));
    CHECK(expiring(noon - 301) == pa::errc::refused);
    CHECK(expiring(0) == pa::errc::refused);
    CHECK_FALSE(expiring(noon + 7500));
    CHECK(expiring(noon + 7501) == pa::errc::refused);
    CHECK(expiring(~std::uint64_t{0}) == pa::errc::refused);
}

TEST_CASE("a token holds for months, and other documents do not")
{
    auto want = ready_expected();
    const auto token_until = [&](std::uint64_t at) {
        want.kind = wire::signed_kind::token;
        return refusal_with(
            [at](auto& h) {
                h.kind = wire::signed_kind::token;
                h.expires = at;
            },
            want);
    };
    CHECK_FALSE(token_until(noon + 400 * 86400 + 300));
    CHECK(token_until(noon + 400 * 86400 + 301) == pa::errc::refused);
}

TEST_CASE("a clock at the beginning of time makes no document expire")
{
    auto want = ready_expected();
    want.now = 0;
    CHECK_FALSE(refusal_with([](auto& h) { h.expires = 0; }, want));
}

TEST_CASE("a key that signs anything signs no document, whatever the verifier says")
{
    auto document = ready_document();
    std::fill(document.begin() + 8, document.begin() + 40, std::byte{0});
    auto want = ready_expected();
    want.key.reset();
    const auto believe = [](const pa::public_key&, pa::bytes, const pa::signature&) {
        return true;
    };
    CHECK(pa::test::thrown_by([&] { wire::read_document(document, want, believe); }) ==
          pa::errc::refused);
}

TEST_CASE("each kind of document has a word of its own, and other numbers have none")
{
    std::vector<std::string_view> words;
    for (int kind = 0; kind < 256; ++kind) {
        const auto word = name(static_cast<wire::signed_kind>(kind));
        if (!word.empty()) words.push_back(word);
    }
    CHECK(words.size() == 9);
    std::ranges::sort(words);
    CHECK(std::ranges::adjacent_find(words) == words.end());
}
