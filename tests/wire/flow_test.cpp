#include <papilio/wire/flow.hpp>

#include <papilio/base/buffer_pool.hpp>

#include "support/bytes_of.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <system_error>

namespace pa = papilio;
namespace wire = papilio::wire;
using wire::flow_kind;

namespace {

const wire::flow honest[] = {
    {.kind = flow_kind::window, .subject = std::uint64_t{1} << 40},
    {.kind = flow_kind::announce, .size = 0xffffffff, .number = 7, .subject = 99},
    {.kind = flow_kind::withdraw, .number = 7, .subject = 99},
    {.kind = flow_kind::grant, .number = 7},
    {.kind = flow_kind::decline, .number = ~std::uint64_t{0}},
    {.kind = flow_kind::over, .subject = 5},
    {.kind = flow_kind::returned, .number = 65},
};

bool refused(const wire::flow& f)
{
    try {
        wire::parse_flow(wire::encode(f));
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::bad_message);
        return true;
    }
    return false;
}

}  // namespace

TEST_CASE("a frame of flow control is read as it was written")
{
    for (const auto& f : honest) CHECK(wire::parse_flow(wire::encode(f)) == f);
}

TEST_CASE("a frame of flow control has the bytes that its format says")
{
    const auto written = wire::encode(wire::flow{.kind = flow_kind::announce,
                                                 .size = 0x11223344,
                                                 .number = 0x0102030405060708,
                                                 .subject = 0x1112131415161718});
    CHECK(written.size() == 24);
    CHECK(written[0] == std::byte{2});
    CHECK(written[1] == std::byte{0});
    CHECK(written[4] == std::byte{0x44});
    CHECK(written[8] == std::byte{0x08});
    CHECK(written[16] == std::byte{0x18});
}

TEST_CASE("a frame of flow control that no honest peer writes is refused")
{
    CHECK(refused({.kind = flow_kind{0}, .number = 1}));
    CHECK(refused({.kind = flow_kind{8}, .number = 1}));
    CHECK(refused({.kind = flow_kind::returned, .number = 0}));
    CHECK(refused({.kind = flow_kind::returned, .number = 1, .subject = 1}));
    CHECK(refused({.kind = flow_kind::window, .size = 1}));
    CHECK(refused({.kind = flow_kind::window, .number = 1}));
    CHECK(refused({.kind = flow_kind::over, .number = 1}));
    CHECK(refused({.kind = flow_kind::announce, .size = 1, .number = 0}));
    CHECK(refused({.kind = flow_kind::grant, .number = 0}));
    CHECK(refused({.kind = flow_kind::grant, .number = 1, .subject = 1}));
    CHECK(refused({.kind = flow_kind::withdraw, .size = 1, .number = 1}));
    for (const auto own : {wire::loan_tag, wire::flow_tag, wire::shutdown, wire::heartbeat})
        CHECK(refused({.kind = flow_kind::announce,
                       .number = 1,
                       .subject = static_cast<std::uint64_t>(own)}));
}

TEST_CASE("a frame of flow control of another size, or with bytes where none may be, is refused")
{
    const auto written = wire::encode(honest[3]);
    for (const std::size_t size : {0u, 1u, 23u})
        CHECK_THROWS_AS(wire::parse_flow(pa::bytes(written).first(size)), std::system_error);
    for (const std::size_t at : {1u, 2u, 3u}) {
        auto wrong = written;
        wrong[at] = std::byte{1};
        CHECK_THROWS_AS(wire::parse_flow(wrong), std::system_error);
    }
}

TEST_CASE("what an early message costs is no less than the memory that it takes")
{
    constexpr std::size_t bookkeeping = 128;
    for (std::size_t size = 0; size < (std::size_t{1} << 32); size += 1 + size / 7)
        REQUIRE(pa::detail::pooled_buffer::held(size) + bookkeeping <= wire::early_cost(size));
}
