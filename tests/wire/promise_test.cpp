#include <papilio/wire/promise.hpp>

#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <limits>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::call_extent of_promises{.peers = 3, .parts = 2, .columns = 10};

wire::promise kept_promise()
{
    wire::promise p;
    p.view = 4;
    p.joined = 2;
    p.voted = 1;
    p.call = 0x0102030405060708;
    p.complaints.insert(2);
    p.weights = {1, 0.5, 0};
    p.versions = {{0, {0, 1, 2}}, {2, {0, 1}}};
    p.held = {{{0, 3, 0}, {3, 1, 2}, {9, 1, 0}}, {}};
    return p;
}

/// Whether a promise with a change is refused as what no honest peer says.
template <class Change>
bool promise_refused(Change change)
{
    auto p = kept_promise();
    change(p);
    return pa::test::thrown_by([&] { wire::parse_promise(wire::encode(p), of_promises); }) ==
           pa::errc::bad_message;
}

bool promise_bytes_refused(const std::vector<std::byte>& message)
{
    return pa::test::thrown_by([&] { wire::parse_promise(message, of_promises); }) ==
           pa::errc::bad_message;
}

}  // namespace

TEST_CASE("a promise is read as it was written")
{
    CHECK(wire::parse_promise(wire::encode(kept_promise()), of_promises) == kept_promise());
    auto first = kept_promise();
    first.view = 1;
    first.joined = 0;
    first.voted = wire::no_view;
    first.versions = {};
    first.held = {{}, {}};
    first.weights[1] = wire::unknown_weight;
    CHECK(wire::parse_promise(wire::encode(first), of_promises) == first);
}

TEST_CASE("a promise of hundreds of peers is read as it was written, with those complained of")
{
    const wire::call_extent of{.peers = 200, .parts = 1, .columns = 1};
    wire::promise p{.weights = std::vector<double>(200, 1.0),
                    .versions = {{0, {1, 199}}},
                    .held = {{{0, 1, 0}}}};
    for (const int rank : {0, 63, 64, 127, 128, 199}) p.complaints.insert(rank);
    CHECK(wire::parse_promise(wire::encode(p), of) == p);
    CHECK(wire::encode(p).size() <= wire::largest_promise(of));
}

TEST_CASE("a promise has the bytes that its format says")
{
    const auto m = wire::encode(kept_promise());
    REQUIRE(m.size() == 16 + 8 + 3 * 8 + 8 + 2 * 16 + 4 + 3 * 12 + 4);
    CHECK(pa::load<std::uint32_t>(m.data()) == wire::promise_magic);
    CHECK(pa::load<std::uint8_t>(&m[4]) == 4);
    CHECK(pa::load<std::uint8_t>(&m[5]) == 2);
    CHECK(pa::load<std::uint8_t>(&m[6]) == 1);
    CHECK(pa::load<std::uint64_t>(&m[8]) == 0x0102030405060708);
    CHECK(pa::load<std::uint64_t>(&m[16]) == 4);
    CHECK(pa::load<double>(&m[32]) == 0.5);
    CHECK(pa::load<std::uint64_t>(&m[48]) == 2);  // versions
    CHECK(pa::load<std::uint64_t>(&m[72]) == 2);  // the second one
    CHECK(pa::load<std::uint64_t>(&m[80]) == 3);  // and its contributors
    CHECK(pa::load<std::uint32_t>(&m[88]) == 3);
    CHECK(pa::load<std::uint32_t>(&m[104]) == 3);  // the second run's first column
    CHECK(pa::load<std::uint32_t>(&m[108]) == 1);
    CHECK(pa::load<std::uint8_t>(&m[112]) == 2);
    CHECK(pa::load<std::uint32_t>(&m[128]) == 0);
}

TEST_CASE("the views of a promise come in order")
{
    CHECK(promise_refused([](auto& p) { p.view = 0; }));
    CHECK(promise_refused([](auto& p) { p.view = 32; }));
    CHECK(promise_refused([](auto& p) { p.joined = 4; }));
    CHECK(promise_refused([](auto& p) { p.voted = 3; }));
    CHECK(promise_refused([](auto& p) { p.voted = 254; }));
    CHECK(!promise_refused([](auto& p) { p.view = 31; }));
}

TEST_CASE("a promise names ranks of the group alone, and weights that there are")
{
    CHECK(promise_refused([](auto& p) { p.complaints.insert(3); }));
    CHECK(promise_refused([](auto& p) { p.complaints.insert(63); }));
    CHECK(promise_refused([](auto& p) { p.weights[1] = -2; }));
    CHECK(promise_refused([](auto& p) { p.weights[1] = -0.0; }));
    CHECK(promise_refused([](auto& p) { p.weights[2] = std::numeric_limits<double>::infinity(); }));
    CHECK(
        promise_refused([](auto& p) { p.weights[0] = std::numeric_limits<double>::quiet_NaN(); }));
}

TEST_CASE("the runs of a promise are in order, apart and within their part")
{
    CHECK(promise_refused([](auto& p) { p.held[0] = {{3, 1, 0}, {0, 3, 0}}; }));
    CHECK(promise_refused([](auto& p) { p.held[0] = {{0, 4, 0}, {3, 1, 0}}; }));
    CHECK(promise_refused([](auto& p) { p.held[1] = {{0, 0, 0}}; }));
    CHECK(promise_refused([](auto& p) { p.held[1] = {{10, 1, 0}}; }));
    CHECK(promise_refused([](auto& p) { p.held[1] = {{9, 2, 0}}; }));
    CHECK(promise_refused([](auto& p) { p.held[1] = {{1, 0xffffffff, 0}}; }));
    CHECK(!promise_refused([](auto& p) { p.held[1] = {{0, 10, 2}}; }));
}

TEST_CASE("nobody holds chunks of a view that it has not joined")
{
    CHECK(promise_refused([](auto& p) { p.held[1] = {{0, 1, 3}}; }));
    CHECK(promise_refused([](auto& p) { p.versions.push_back({3, {0}}); }));
    CHECK(!promise_refused([](auto& p) { p.held[1] = {{0, 1, 2}}; }));
}

TEST_CASE("a promise says of whom each version is that it holds")
{
    CHECK(promise_refused([](auto& p) { p.held[1] = {{0, 1, 1}}; }));
    CHECK(promise_refused([](auto& p) { p.versions = {{2, {0}}, {0, {0}}}; }));
    CHECK(promise_refused([](auto& p) { p.versions[0].contributors.insert(3); }));
    CHECK(!promise_refused([](auto& p) { p.versions = {{0, {}}, {1, {}}, {2, {}}}; }));
}

TEST_CASE("a promise that is cut, longer or of other bytes where none may be is refused")
{
    const auto good = wire::encode(kept_promise());
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(promise_bytes_refused({good.begin(), good.begin() + static_cast<int>(size)}));
    auto longer = good;
    longer.resize(good.size() + 1);
    CHECK(promise_bytes_refused(longer));
    for (const std::size_t at : {0u, 7u, 49u, 101u, 103u}) {
        auto other = good;
        other[at] ^= std::byte{0x80};
        CHECK(promise_bytes_refused(other));
    }
}

TEST_CASE("a promise that tells of more runs than there are bytes for is refused at once")
{
    const wire::call_extent large{.peers = 3, .parts = 1, .columns = 1u << 20};
    wire::promise p{.weights = {1, 1, 1}, .held = {{}}};
    auto message = wire::encode(p);
    pa::store(&message[message.size() - 4], std::uint32_t{1u << 20});
    CHECK_THROWS_WITH(wire::parse_promise(message, large),
                      Catch::Contains("the number of runs of a part"));
}
