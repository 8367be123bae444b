#include <papilio/wire/loan.hpp>

#include <catch2/catch.hpp>

#include <system_error>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

constexpr wire::loan good{pa::tag{7}, 65, std::uint64_t{1} << 33, 128 << 10};

template <class Change>
bool is_refused(Change change)
{
    auto l = good;
    change(l);
    try {
        wire::parse_loan(wire::encode(l));
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::bad_message);
        return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a frame about a loan is read as it was written, and has the bytes of its format")
{
    const auto written = wire::encode(good);
    CHECK(wire::parse_loan(written) == good);
    CHECK(written.size() == 32);
    CHECK(written[0] == std::byte{7});
    CHECK(written[8] == std::byte{65});
    CHECK(written[20] == std::byte{2});
    CHECK(written[26] == std::byte{2});
    CHECK(written[31] == std::byte{0});
}

TEST_CASE("a frame about a loan that no honest peer writes is refused")
{
    CHECK(!is_refused([](wire::loan&) {}));
    CHECK(is_refused([](wire::loan& l) { l.number = 0; }));
    CHECK(is_refused([](wire::loan& l) { l.size = 0; }));
    CHECK(is_refused([](wire::loan& l) { l.what = wire::loan_tag; }));
    CHECK(is_refused([](wire::loan& l) { l.what = wire::heartbeat; }));
    auto written = wire::encode(good);
    for (const std::size_t size : {0u, 24u, 31u})
        CHECK_THROWS_AS(wire::parse_loan(pa::bytes(written).first(size)), std::system_error);
    written[30] = std::byte{1};
    CHECK_THROWS_AS(wire::parse_loan(written), std::system_error);
}
