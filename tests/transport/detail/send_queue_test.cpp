#include <papilio/transport/detail/send_queue.hpp>

#include <papilio/base/crc32c.hpp>
#include <papilio/base/error.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace pa = papilio;
using pa::detail::send_queue;

namespace {

constexpr std::size_t frame_size = pa::wire::frame::encoded_size;

struct sent final : send_queue::message {
    sent(std::uint64_t t, const std::vector<std::byte>& body, int priority = 0)
        : message(pa::tag{t}, body, priority)
    {
    }
    void finish(std::error_code error) noexcept override { result = error; }
    std::optional<std::error_code> result;
};

std::vector<std::byte> filled(std::size_t size, int value)
{
    return std::vector<std::byte>(size, static_cast<std::byte>(value));
}

/// Writes at most `most` bytes of the queue, as a stream with that much space would take them.
std::vector<std::byte> write(send_queue& queue, std::size_t most)
{
    std::vector<std::byte> out;
    while (!queue.empty() && out.size() < most) {
        std::array<pa::bytes, 4> pieces;
        std::size_t n = 0;
        for (const auto piece : queue.gather(pieces)) {
            const auto part = piece.first(std::min(piece.size(), most - out.size()));
            out.insert(out.end(), part.begin(), part.end());
            n += part.size();
        }
        queue.written(n);
    }
    return out;
}

/// The tags of the frames that `stream` consists of, whose bodies have to be filled with them.
std::vector<std::uint64_t> tags_of(const std::vector<std::byte>& stream)
{
    std::vector<std::uint64_t> tags;
    for (std::size_t at = 0; at < stream.size();) {
        const auto frame = pa::wire::parse_frame(stream.data() + at);
        at += frame_size;
        REQUIRE(stream.size() >= at + frame.size);
        const auto value = static_cast<std::uint64_t>(frame.what);
        for (std::size_t i = 0; i < frame.size; ++i)
            if (std::to_integer<std::uint64_t>(stream[at + i]) != value) FAIL("another's bytes");
        at += frame.size;
        tags.push_back(value);
    }
    return tags;
}

}  // namespace

TEST_CASE("a send queue writes by priority, and in order within one priority")
{
    send_queue queue;
    const auto one = filled(5, 1), two = filled(5, 2), three = filled(5, 3), four = filled(0, 4);
    sent a(1, one), b(2, two, 5), c(3, three, 5), d(4, four, -1);
    for (auto* m : {&d, &a, &b, &c}) queue.push(*m);
    CHECK(queue.bytes_waiting() == 4 * frame_size + 15);
    const auto out = write(queue, 1000);
    CHECK(tags_of(out) == std::vector<std::uint64_t>{2, 3, 1, 4});
    CHECK(queue.empty());
    CHECK(queue.bytes_waiting() == 0);
    CHECK(queue.bytes_written() == out.size());
    for (auto* m : {&a, &b, &c, &d}) {
        REQUIRE(m->result);
        CHECK(!*m->result);
    }
}

TEST_CASE("a frame that has started is finished before one of higher priority")
{
    const auto started = GENERATE(std::size_t{1}, frame_size, frame_size + 3);
    send_queue queue;
    const auto one = filled(9, 1), two = filled(9, 2);
    sent low(1, one), high(2, two, 7);
    queue.push(low);
    auto out = write(queue, started);
    queue.push(high);
    CHECK(!low.result);
    const auto rest = write(queue, 1000);
    out.insert(out.end(), rest.begin(), rest.end());
    CHECK(tags_of(out) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a withdrawn message leaves whole frames on the stream")
{
    const auto started =
        GENERATE(std::size_t{0}, std::size_t{1}, frame_size, frame_size + 3, frame_size + 8);
    send_queue queue;
    const auto two = filled(9, 2);
    sent after(2, two, 7);
    std::vector<std::byte> out;
    {
        const auto one = filled(9, 1);
        sent gone(1, one);
        queue.push(gone);
        out = write(queue, started);
        queue.withdraw(gone);
        CHECK(!gone.result);
    }
    CHECK(queue.bytes_waiting() == (started > 0 ? frame_size + 9 - started : 0));
    queue.push(after);
    const auto rest = write(queue, 1000);
    out.insert(out.end(), rest.begin(), rest.end());
    const std::vector<std::uint64_t> both{1, 2};
    CHECK(tags_of(out) == (started > 0 ? both : std::vector<std::uint64_t>{2}));
    CHECK(after.result);
}

TEST_CASE("a message that waits behind others can be withdrawn without a trace")
{
    send_queue queue;
    const auto one = filled(9, 1), two = filled(9, 2);
    sent first(1, one), second(2, two);
    queue.push(first);
    queue.push(second);
    queue.withdraw(second);
    CHECK(tags_of(write(queue, 1000)) == std::vector<std::uint64_t>{1});
}

TEST_CASE("the shutdown frame is last in a send queue, control frames have priority zero")
{
    send_queue queue;
    const auto one = filled(1, 1), two = filled(1, 2);
    sent low(1, one, -9), zero(2, two);
    queue.push_control(pa::wire::shutdown);
    queue.push(low);
    queue.push(zero);
    queue.push_control(pa::wire::heartbeat);
    const std::vector<std::uint64_t> order{2, static_cast<std::uint64_t>(pa::wire::heartbeat), 1,
                                           static_cast<std::uint64_t>(pa::wire::shutdown)};
    CHECK(tags_of(write(queue, 1000)) == order);
}

TEST_CASE("copies need no sender, and what is written reports completed messages")
{
    send_queue queue;
    {
        const auto one = filled(4, 1);
        queue.push_copy(pa::tag{1}, one, 0);
    }
    CHECK(queue.bytes_waiting() == frame_size + 4);
    std::array<pa::bytes, 3> pieces;
    CHECK(queue.gather(pieces).size() == 1);
    CHECK(!queue.written(frame_size));
    CHECK(queue.written(4));
    CHECK(queue.empty());
}

TEST_CASE("when a stream fails, so does all that waits for it")
{
    send_queue queue;
    const auto one = filled(9, 1), two = filled(9, 2);
    sent first(1, one), second(2, two);
    queue.push(first);
    queue.push(second);
    write(queue, 3);
    queue.fail(pa::errc::disconnected);
    CHECK(queue.empty());
    CHECK(queue.bytes_waiting() == 0);
    CHECK(first.result == pa::errc::disconnected);
    CHECK(second.result == pa::errc::disconnected);
}

namespace {

/// The sizes of the messages that `stream` consists of, each of which has its CRC behind it.
std::vector<std::size_t> checked_sizes(const std::vector<std::byte>& stream)
{
    std::vector<std::size_t> sizes;
    for (std::size_t at = 0; at < stream.size();) {
        const auto frame = pa::wire::parse_frame(stream.data() + at);
        at += frame_size;
        sizes.push_back(frame.size);
        if (frame.size == 0) continue;
        REQUIRE(stream.size() >= at + frame.size + 4);
        const auto content = pa::bytes(stream).subspan(at, frame.size);
        CHECK(pa::load<std::uint32_t>(stream.data() + at + frame.size) == pa::crc32c(content));
        at += frame.size + 4;
    }
    return sizes;
}

}  // namespace

TEST_CASE("where contents are checked a CRC follows each, however the stream takes the bytes")
{
    const auto most = GENERATE(as<std::size_t>{}, 1, 7, 4096, 100'000, 1'000'000);
    const std::vector<std::size_t> sizes{3, 0, 300'000, 1, 262'144, 262'145, 20};
    send_queue queue(pa::wire::content_check::crc32c);
    std::vector<std::vector<std::byte>> bodies;
    for (const auto size : sizes) bodies.push_back(filled(size, static_cast<int>(size % 251)));
    std::vector<std::unique_ptr<sent>> messages;
    for (const auto& b : bodies) {
        messages.push_back(std::make_unique<sent>(1, b));
        queue.push(*messages.back());
    }
    queue.push_control(pa::wire::heartbeat);
    queue.push_copy(pa::tag{2}, bodies[0], 0);
    const auto waiting = queue.bytes_waiting();
    std::vector<std::byte> out;
    while (!queue.empty()) {
        const auto more = write(queue, most);
        out.insert(out.end(), more.begin(), more.end());
    }
    CHECK(out.size() == waiting);
    CHECK(queue.bytes_waiting() == 0);
    CHECK(checked_sizes(out) ==
          std::vector<std::size_t>{3, 0, 300'000, 1, 262'144, 262'145, 20, 0, 3});
}

TEST_CASE("a withdrawn message has its CRC behind it, too, if some of it had gone")
{
    const auto started = GENERATE(as<std::size_t>{}, 1, frame_size, frame_size + 1, 300'000,
                                  600'000 + frame_size, 600'000 + frame_size + 3);
    send_queue queue(pa::wire::content_check::crc32c);
    std::vector<std::byte> out;
    {
        const auto one = filled(600'000, 1);
        sent gone(1, one);
        queue.push(gone);
        out = write(queue, started);
        queue.withdraw(gone);
    }
    CHECK(queue.bytes_waiting() == 600'000 + frame_size + 4 - started);
    const auto rest = write(queue, 1'000'000);
    out.insert(out.end(), rest.begin(), rest.end());
    CHECK(checked_sizes(out) == std::vector<std::size_t>{600'000});
}

TEST_CASE("a queue whose contents are checked offers no more at a time than a cache holds")
{
    send_queue queue(pa::wire::content_check::crc32c);
    const auto large = filled(2'000'000, 1), small = filled(100'000, 2);
    sent one(1, small), two(2, large), three(3, large);
    for (auto* m : {&one, &two, &three}) queue.push(*m);
    std::array<pa::bytes, 24> pieces;
    std::size_t offered = 0;
    for (const auto p : queue.gather(pieces)) offered += p.size();
    CHECK(offered > 300'000);
    CHECK(offered < 400'000);
    queue.fail(pa::errc::disconnected);
}
