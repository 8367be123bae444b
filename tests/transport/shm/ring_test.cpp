#include <papilio/transport/shm/ring.hpp>

#include <papilio/base/random.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace pa = papilio;
using namespace papilio::shm::detail;

namespace {

/// A ring as both ends see it, and how often each was woken.
struct shared_ring {
    explicit shared_ring(std::size_t size) : data(size), out(*state, data), in(*state, data) {}

    std::size_t write(pa::bytes from)
    {
        const std::array<pa::bytes, 1> pieces{from};
        error = {};
        return out.write_some(pieces, error, [this] { ++reader_woken; });
    }
    std::size_t read(pa::mutable_bytes into)
    {
        const std::array<pa::mutable_bytes, 1> pieces{into};
        error = {};
        return in.read_some(pieces, error, [this] { ++writer_woken; });
    }

    std::unique_ptr<ring_state> state = std::make_unique<ring_state>();
    std::vector<std::byte> data;
    ring_writer out;
    ring_reader in;
    std::error_code error;
    int reader_woken = 0;
    int writer_woken = 0;
};

std::vector<std::byte> counted(std::size_t size)
{
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(i * 7 + i / 256);
    return made;
}

}  // namespace

TEST_CASE("a ring returns the bytes that were written, in pieces of any size")
{
    shared_ring ring(4096);
    pa::random random(1);
    const auto sent = counted(1'000'000);
    std::vector<std::byte> came(sent.size());
    std::size_t written = 0, read = 0;
    while (read < sent.size()) {
        const auto out = std::min<std::size_t>(random.below(6000), sent.size() - written);
        written += ring.write(pa::bytes(sent).subspan(written, out));
        REQUIRE(written - read <= 4096);
        const auto in = std::min<std::size_t>(random.below(6000), sent.size() - read);
        read += ring.read(pa::mutable_bytes(came).subspan(read, in));
        REQUIRE(!ring.error);
    }
    CHECK(came == sent);
}

TEST_CASE("a ring is filled to the brim and emptied to the last byte")
{
    shared_ring ring(64);
    const auto sent = counted(100);
    std::vector<std::byte> came(100);
    CHECK(ring.write(sent) == 64);
    CHECK(ring.write(sent) == 0);
    CHECK(ring.read(came) == 64);
    CHECK(ring.read(came) == 0);
    CHECK(!ring.error);
    CHECK(std::equal(came.begin(), came.begin() + 64, sent.begin()));
}

TEST_CASE("several pieces are written, and read, one after the other")
{
    shared_ring ring(64);
    const auto sent = counted(40);
    const std::array<pa::bytes, 3> pieces{pa::bytes(sent).first(5), pa::bytes{},
                                          pa::bytes(sent).subspan(5)};
    std::error_code error;
    CHECK(ring.out.write_some(pieces, error, [] {}) == 40);
    std::array<std::byte, 30> first{};
    std::array<std::byte, 30> second{};
    const std::array<pa::mutable_bytes, 2> buffers{first, second};
    CHECK(ring.in.read_some(buffers, error, [] {}) == 40);
    CHECK(std::equal(first.begin(), first.end(), sent.begin()));
    CHECK(std::equal(second.begin(), second.begin() + 10, sent.begin() + 30));
}

TEST_CASE("a side that sleeps is woken once: the reader by bytes, the writer when half is free")
{
    shared_ring ring(64);
    const auto sent = counted(64);
    std::vector<std::byte> came(64);
    ring.write(pa::bytes(sent).first(1));
    CHECK(ring.reader_woken == 0);
    ring.in.sleeps(true);
    ring.write(pa::bytes(sent).first(1));
    ring.write(pa::bytes(sent).first(1));
    CHECK(ring.reader_woken == 1);
    ring.write(sent);
    ring.out.sleeps(true);
    CHECK(!ring.out.writable());
    ring.read(pa::mutable_bytes(came).first(20));
    CHECK(ring.writer_woken == 0);
    ring.read(pa::mutable_bytes(came).first(20));
    ring.read(pa::mutable_bytes(came).first(20));
    CHECK(ring.writer_woken == 1);
    CHECK(ring.out.writable());
}

TEST_CASE("a writer that claims more bytes than the ring holds is detected")
{
    const auto claim = GENERATE(values<std::uint64_t>(
        {65, 1000, ~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 32}));
    shared_ring ring(64);
    ring.state->written = claim;
    CHECK(ring.in.readable());
    std::vector<std::byte> came(200, std::byte{0xaa});
    CHECK(ring.read(came) == 0);
    CHECK(ring.error == pa::errc::bad_message);
    CHECK(came == std::vector<std::byte>(200, std::byte{0xaa}));
}

TEST_CASE("a writer that moves its position back is detected")
{
    shared_ring ring(64);
    const auto sent = counted(10);
    std::vector<std::byte> came(10);
    ring.write(sent);
    CHECK(ring.read(came) == 10);
    ring.state->written = 9;
    CHECK(ring.read(came) == 0);
    CHECK(ring.error == pa::errc::bad_message);
}

TEST_CASE("a reader that claims to have read what was not written is detected")
{
    const auto claim =
        GENERATE(values<std::uint64_t>({65, 1000, ~std::uint64_t{0}, std::uint64_t{1} << 63}));
    shared_ring ring(64);
    const auto sent = counted(100);
    CHECK(ring.write(sent) == 64);
    ring.state->read = claim;
    CHECK(ring.out.writable());
    CHECK(ring.write(sent) == 0);
    CHECK(ring.error == pa::errc::bad_message);
}

TEST_CASE("two threads pass bytes through a ring")
{
    shared_ring ring(1024);
    const auto sent = counted(300'000);
    std::vector<std::byte> came(sent.size());
    std::jthread writer([&] {
        std::error_code error;
        for (std::size_t done = 0; done < sent.size();) {
            const std::array<pa::bytes, 2> pieces{
                pa::bytes(sent).subspan(done, std::min<std::size_t>(700, sent.size() - done)),
                pa::bytes{}};
            const auto n = ring.out.write_some(pieces, error, [] {});
            done += n;
            if (n == 0) std::this_thread::yield();
        }
    });
    std::error_code error;
    for (std::size_t done = 0; done < came.size();) {
        const auto half = std::min<std::size_t>(333, came.size() - done);
        const std::array<pa::mutable_bytes, 2> buffers{
            pa::mutable_bytes(came).subspan(done, half),
            pa::mutable_bytes(came).subspan(done + half,
                                            std::min<std::size_t>(500, came.size() - done - half))};
        const auto n = ring.in.read_some(buffers, error, [] {});
        done += n;
        if (n == 0) std::this_thread::yield();
    }
    CHECK(came == sent);
}
