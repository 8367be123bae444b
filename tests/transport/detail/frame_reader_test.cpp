#include <papilio/transport/detail/frame_reader.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/thread_loop.hpp>
#include <papilio/base/crc32c.hpp>

#include <support/thrown.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace pa = papilio;
using Catch::Matchers::Contains;
using pa::detail::frame_reader;
using status = frame_reader::status;

namespace {

constexpr std::size_t head = pa::wire::frame::encoded_size;
constexpr std::size_t megabyte = std::size_t{1} << 20;

void append(std::vector<std::byte>& stream, pa::tag t, std::size_t size, int value = 0)
{
    const auto frame = pa::wire::encode(pa::wire::frame{t, static_cast<std::uint32_t>(size)});
    stream.insert(stream.end(), frame.begin(), frame.end());
    stream.insert(stream.end(), size, static_cast<std::byte>(value));
}

/// The same with a CRC behind it.
void append_checked(std::vector<std::byte>& stream, pa::tag t, std::size_t size, int value = 0)
{
    append(stream, t, size, value);
    if (size == 0) return;
    const auto crc = pa::crc32c(pa::bytes(stream).last(size));
    stream.resize(stream.size() + sizeof crc);
    pa::store(stream.data() + stream.size() - sizeof crc, crc);
}

/// Gives `stream` to `reader` in pieces of at most `most` bytes; everything that `parse` says but
/// that it needs more.
std::vector<status> feed(frame_reader& reader, pa::bytes stream, std::size_t most)
{
    std::vector<status> said;
    for (;;) {
        for (auto s = reader.parse(); s != status::needs_bytes; s = reader.parse())
            said.push_back(s);
        if (stream.empty()) return said;
        std::size_t n = 0;
        for (const auto into : reader.buffers()) {
            const auto part = stream.first(std::min({into.size(), stream.size(), most - n}));
            std::copy(part.begin(), part.end(), into.begin());
            stream = stream.subspan(part.size());
            n += part.size();
        }
        REQUIRE(n > 0);
        reader.received(n);
    }
}

pa::task<std::size_t> take(pa::mailbox& box, pa::tag t, pa::mutable_bytes into)
{
    co_return co_await box.take(3, t, into);
}

std::size_t next_size(pa::mailbox& box, pa::tag t)
{
    pa::thread_loop loop;
    std::vector<std::byte> into(megabyte);
    return pa::sync_wait(loop, take(box, t, into));
}

}  // namespace

TEST_CASE("a frame reader finds the same messages however the stream is cut")
{
    const auto most = GENERATE(as<std::size_t>{}, 1, 7, head, 17, 8192, 9000, megabyte);
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte);
    std::vector<std::byte> stream;
    const std::vector<std::size_t> sizes{0, 1, 100, 8192, 8193, 0, 9000, 3};
    for (const auto size : sizes) append(stream, pa::tag{1}, size);
    append(stream, pa::wire::heartbeat, 0);
    append(stream, pa::tag{2}, 5);
    const auto said = feed(reader, stream, most);
    CHECK(said == std::vector<status>{status::large_message, status::large_message});
    for (const auto size : sizes) CHECK(next_size(box, pa::tag{1}) == size);
    CHECK(next_size(box, pa::tag{2}) == 5);
    CHECK(!reader.in_message());
}

TEST_CASE("a large message is read straight into the buffer of its receive")
{
    pa::thread_loop loop;
    pa::mailbox box(0);  // nothing may be kept
    frame_reader reader(box, 3, megabyte);
    std::vector<std::byte> into(10'000), stream;
    auto receive = take(box, pa::tag{1}, into);
    receive.start(loop);
    append(stream, pa::tag{1}, 10'000, 7);
    CHECK(feed(reader, pa::bytes(stream).first(4000), 4096).empty());
    CHECK(reader.in_message());
    const auto buffers = reader.buffers();
    CHECK(buffers[0].data() == into.data() + 4000 - head);
    CHECK(buffers[0].size() == 10'000 - 4000 + head);
    CHECK(feed(reader, pa::bytes(stream).subspan(4000), megabyte).size() == 1);
    while (!receive.finished()) REQUIRE(loop.run_one());
    CHECK(std::ranges::count(into, std::byte{7}) == 10'000);
}

TEST_CASE("bytes that nobody wants are read all the same, and what follows is found")
{
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte);
    const auto unwanted = pa::make_tag({.call = 5});
    box.discard_call(unwanted);
    std::vector<std::byte> stream;
    append(stream, unwanted, 300'000);
    append(stream, pa::tag{2}, 5);
    feed(reader, stream, 100'000);
    CHECK(next_size(box, pa::tag{2}) == 5);
}

TEST_CASE("a shutdown is reported once, in its place")
{
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte);
    std::vector<std::byte> stream;
    append(stream, pa::tag{1}, 9000);
    append(stream, pa::wire::shutdown, 0);
    append(stream, pa::wire::shutdown, 0);
    CHECK(feed(reader, stream, megabyte) ==
          std::vector<status>{status::large_message, status::peer_shutdown});
}

TEST_CASE("a receive whose stream ends half-way fails")
{
    pa::thread_loop loop;
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte);
    std::vector<std::byte> into(100), stream;
    auto receive = take(box, pa::tag{1}, into);
    receive.start(loop);
    append(stream, pa::tag{1}, 100);
    feed(reader, pa::bytes(stream).first(50), megabyte);
    reader.abort();
    while (!receive.finished()) REQUIRE(loop.run_one());
    CHECK_THROWS_AS(receive.result(), std::system_error);
}

TEST_CASE("what is no frame, or too large a one, is refused with the peer and the limit")
{
    pa::mailbox box;
    frame_reader reader(box, 3, 1000);
    std::vector<std::byte> stream;
    append(stream, pa::tag{1}, 1001);
    CHECK_THROWS_WITH(feed(reader, stream, megabyte), Contains("peer 3") &&
                                                          Contains("1001 bytes") &&
                                                          Contains("max_message is 1000"));
    frame_reader other(box, 3, 1000);
    const std::vector<std::byte> noise(head, std::byte{42});
    CHECK_THROWS_AS(feed(other, noise, megabyte), std::system_error);
}

TEST_CASE("a frame reader checks the contents of messages, however the stream is cut")
{
    const auto most = GENERATE(as<std::size_t>{}, 1, 7, 17, 8192, 9000, megabyte);
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte, pa::wire::content_check::crc32c);
    const auto unwanted = pa::make_tag({.call = 5});
    box.discard_call(unwanted);
    std::vector<std::byte> stream;
    const std::vector<std::size_t> sizes{0, 1, 100, 8192, 8193, 0, 9000, 600'000, 3};
    for (const auto size : sizes) append_checked(stream, pa::tag{1}, size);
    append(stream, pa::wire::heartbeat, 0);
    append_checked(stream, unwanted, 100'000);
    append_checked(stream, pa::tag{2}, 5);
    feed(reader, stream, most);
    for (const auto size : sizes) CHECK(next_size(box, pa::tag{1}) == size);
    CHECK(next_size(box, pa::tag{2}) == 5);
}

TEST_CASE("a message with a flipped bit is given to nobody, and its peer is named")
{
    const auto size = GENERATE(as<std::size_t>{}, 1, 100, 4097, 300'000);
    const auto at = GENERATE(0.0, 0.3, 0.999, 1.0);  // in content and CRC
    pa::thread_loop loop;
    pa::mailbox box;
    frame_reader reader(box, 3, megabyte, pa::wire::content_check::crc32c);
    std::vector<std::byte> into(size), stream;
    auto receive = take(box, pa::tag{1}, into);
    receive.start(loop);
    append_checked(stream, pa::tag{1}, size, 7);
    const auto bit = head + static_cast<std::size_t>(at * static_cast<double>(size + 3));
    stream[bit] ^= std::byte{0x10};
    CHECK_THROWS_WITH(feed(reader, stream, 5000), Contains("peer 3") &&
                                                      Contains(std::to_string(size) + " bytes") &&
                                                      Contains("another CRC-32C"));
    while (!receive.finished()) REQUIRE(loop.run_one());
    CHECK(pa::test::thrown_by([&] { receive.result(); }) == pa::errc::corrupted);
}

TEST_CASE("what a peer says about the flow of messages is found between them, however it is cut")
{
    const auto most = GENERATE(as<std::size_t>{}, 1, 7, head, 40, 4096, megabyte);
    const auto check = GENERATE(pa::wire::content_check::none, pa::wire::content_check::crc32c);
    pa::mailbox box;
    frame_reader reader(box, 3, 10, check);  // no message, so that no limit is meant for it
    const pa::wire::flow f{.kind = pa::wire::flow_kind::grant, .number = 77};
    const auto content = pa::wire::encode(f);
    std::vector<std::byte> stream;
    for (int i = 0; i < 200; ++i) {
        append(stream, pa::wire::flow_tag, content.size());
        std::copy(content.begin(), content.end(), stream.end() - content.size());
        if (check == pa::wire::content_check::crc32c) {
            stream.resize(stream.size() + 4);
            pa::store(stream.data() + stream.size() - 4, pa::crc32c(content));
        }
        append(stream, pa::wire::heartbeat, 0);
    }
    CHECK(feed(reader, stream, most) == std::vector<status>(200, status::flow));
    CHECK(reader.flow() == f);
}

TEST_CASE("what a peer says about the flow of messages ends the stream when it is no such frame")
{
    pa::mailbox box;
    const auto said = [&](std::vector<std::byte> stream, pa::wire::content_check check) {
        frame_reader reader(box, 3, megabyte, check);
        return pa::test::thrown_by([&] { feed(reader, stream, 4096); });
    };
    using enum pa::wire::content_check;
    for (const std::size_t size : {0u, 23u, 25u, 5000u}) {
        std::vector<std::byte> other_size;
        append(other_size, pa::wire::flow_tag, size, 1);
        CHECK(said(other_size, none) == pa::errc::bad_message);
    }
    std::vector<std::byte> zeros;
    append_checked(zeros, pa::wire::flow_tag, 24);
    CHECK(said(zeros, crc32c) == pa::errc::bad_message);
    zeros.back() ^= std::byte{1};
    CHECK(said(zeros, crc32c) == pa::errc::corrupted);
}
