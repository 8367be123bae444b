#include <papilio/wire/frame.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace pa = papilio;
namespace wire = papilio::wire;

namespace {

bool is_frame(const std::byte* from)
{
    try {
        wire::parse_frame(from);
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::bad_message);
        return false;
    }
    return true;
}

}  // namespace

TEST_CASE("a frame is read as it was written")
{
    for (const std::uint64_t t : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
        for (const std::uint32_t size : {0u, 1u, 0xffffffffu}) {
            const wire::frame f{pa::tag{t}, size};
            CHECK(wire::parse_frame(wire::encode(f).data()) == f);
        }
}

TEST_CASE("a frame has the bytes that its format says")
{
    const auto written = wire::encode(wire::frame{pa::tag{0x0102030405060708}, 0x11223344});
    CHECK(written.size() == 16);
    CHECK(written[0] == std::byte{0x08});
    CHECK(written[7] == std::byte{0x01});
    CHECK(written[8] == std::byte{0x44});
    CHECK(written[11] == std::byte{0x11});
    CHECK(pa::load<std::uint32_t>(written.data() + 12) ==
          wire::detail::frame_check(0x0102030405060708, 0x11223344));
}

TEST_CASE("a frame with any bit flipped is no frame")
{
    for (const auto& f : {wire::frame{pa::tag{0}, 0}, wire::frame{pa::tag{77}, 1u << 20},
                          wire::frame{wire::heartbeat, 0}}) {
        const auto written = wire::encode(f);
        for (std::size_t bit = 0; bit < 8 * written.size(); ++bit) {
            auto flipped = written;
            flipped[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            CHECK(!is_frame(flipped.data()));
        }
    }
}

TEST_CASE("a stream of one byte repeated is no frame")
{
    for (int value = 0; value < 256; ++value) {
        std::array<std::byte, wire::frame::encoded_size> same;
        std::ranges::fill(same, static_cast<std::byte>(value));
        CHECK(!is_frame(same.data()));
    }
}

TEST_CASE("a frame read one or more bytes off its place is no frame")
{
    const auto one = wire::encode(wire::frame{pa::tag{0x0123456789abcdef}, 4096});
    std::array<std::byte, 48> stream;
    for (std::size_t i = 0; i < 3; ++i)
        std::ranges::copy(one, stream.begin() + 16 * static_cast<int>(i));
    for (std::size_t off = 0; off <= 32; ++off)
        CHECK(is_frame(stream.data() + off) == (off % 16 == 0));
}

TEST_CASE("the library's own marks are none of the tags that calls use")
{
    const pa::tag largest = pa::make_tag(
        {pa::max_epoch, pa::max_tag_call, pa::message_kind::control, pa::max_tag_index});
    CHECK(largest < wire::shutdown);
    CHECK(wire::shutdown < wire::heartbeat);
}
