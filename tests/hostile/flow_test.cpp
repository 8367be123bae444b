// Peers that break the rules about the flow of messages on purpose: they lose their links before
// anything is kept for them, and what they may say harms nobody.

#include <papilio/transport/detail/peer_link.hpp>

#include <papilio/sim/world.hpp>

#include "support/memory_stream.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace papilio::test;
using wire::flow_kind;

namespace {

/// An honest peer, and its link to one that is played by a test.
struct played_link {
    played_link()
    {
        auto ends = make_memory_streams(std::size_t{1} << 20);
        link.add({}, std::move(ends.first), 1, 0);
        theirs = std::move(ends.second);
        run();
    }

    void run()
    {
        for (int i = 0; i < 10'000 && world.run_one(); ++i) {
        }
    }
    void write(pa::bytes what)
    {
        const std::array<pa::bytes, 1> piece{what};
        std::error_code error;
        theirs->write_some(piece, error);
        run();
    }
    void say(const wire::flow& f)
    {
        write(wire::encode(wire::frame{wire::flow_tag, wire::flow::encoded_size}));
        write(wire::encode(f));
    }
    void begin_message(pa::tag t, std::uint32_t size) { write(wire::encode(wire::frame{t, size})); }

    pa::task<> receive(pa::tag t, pa::mutable_bytes into) { co_await inbox.take(1, t, into); }

    static constexpr std::size_t limit = std::size_t{1} << 20;
    pa::sim::world world;
    pa::mesh_options options{.early_limit = limit};
    pa::mailbox inbox{limit};
    pa::detail::peer_link link{world, inbox, 0, 1, options, pa::detail::link_identity(5)};
    std::unique_ptr<pa::byte_stream> theirs;
};

}  // namespace

TEST_CASE("a frame of flow control that no honest peer writes ends the link")
{
    const auto wrong = GENERATE(
        wire::flow{.kind = flow_kind{0}}, wire::flow{.kind = flow_kind{77}},
        wire::flow{.kind = flow_kind::grant},
        wire::flow{.kind = flow_kind::announce, .number = 1, .subject = ~std::uint64_t{0}});
    played_link pair;
    pair.say(wrong);
    CHECK(pair.link.error() == pa::errc::bad_message);
}

TEST_CASE("a frame of flow control of another size ends the link before its content comes")
{
    played_link pair;
    pair.begin_message(wire::flow_tag, GENERATE(0u, 23u, 0xffffffffu));
    CHECK(pair.link.error() == pa::errc::bad_message);
}

TEST_CASE("whoever announces more than it may loses its link")
{
    played_link pair;
    for (std::uint64_t n = 1; n <= wire::max_announced + 1; ++n) {
        REQUIRE(!pair.link.error());
        pair.say({.kind = flow_kind::announce, .size = 0xffffffff, .number = n, .subject = n % 7});
    }
    CHECK(pair.link.error() == pa::errc::bad_message);
    CHECK(pair.inbox.most_held() == 0);
}

TEST_CASE("whoever announces in another order than it sends gets no more than one receive asks for")
{
    played_link pair;
    std::byte into{};
    auto receiving = pair.receive(pa::tag{7}, {&into, 1});
    receiving.start(pair.world);
    for (std::uint64_t n : {10u, 9u}) {
        REQUIRE(!pair.link.error());
        pair.say({.kind = flow_kind::announce, .size = 1, .number = n, .subject = 7});
    }
    CHECK(pair.link.error() == pa::errc::bad_message);
}

TEST_CASE("whoever sends beyond its window loses its link, whether a receive waits or not")
{
    const bool waits = GENERATE(false, true);
    played_link pair;
    std::vector<std::byte> into(2 * played_link::limit);
    auto receiving = pair.receive(pa::tag{1}, into);
    if (waits) receiving.start(pair.world);
    pair.begin_message(pa::tag{1}, played_link::limit);
    CHECK(pair.link.error() == pa::errc::bad_message);
    CHECK(pair.inbox.most_held() == 0);
}

TEST_CASE("whoever is asked for one message may not send a larger one, nor the same twice")
{
    const bool twice = GENERATE(false, true);
    played_link pair;
    std::vector<std::byte> into(4 * played_link::limit);
    auto receiving = pair.receive(pa::tag{1}, into);
    receiving.start(pair.world);
    const auto size = static_cast<std::uint32_t>(2 * played_link::limit);
    pair.say({.kind = flow_kind::announce, .size = size, .number = 1, .subject = 1});
    pair.begin_message(pa::tag{1}, twice ? size : size + 1);
    if (twice) {
        CHECK(!pair.link.error());
        for (int half = 0; half < 4; ++half) pair.write(std::vector<std::byte>(size / 4));
        CHECK(receiving.finished());
        pair.begin_message(pa::tag{1}, size);
    }
    CHECK(pair.link.error() == pa::errc::bad_message);
    CHECK(pair.inbox.most_held() == 0);
}

TEST_CASE("whoever sends what it was asked for after another in its place loses its link")
{
    played_link pair;
    std::vector<std::byte> into(4 * played_link::limit);
    auto receiving = pair.receive(pa::tag{1}, into);
    receiving.start(pair.world);
    const auto size = static_cast<std::uint32_t>(into.size());
    pair.say({.kind = flow_kind::announce, .size = size, .number = 1, .subject = 1});
    pair.begin_message(pa::tag{1}, 0);
    CHECK(receiving.finished());
    CHECK(!pair.link.error());
    pair.begin_message(pa::tag{1}, size);
    CHECK(pair.link.error() == pa::errc::bad_message);
    CHECK(pair.inbox.most_held() == 0);
}

TEST_CASE("whoever makes its peer answer, and reads nothing, loses its link")
{
    const bool discarded = GENERATE(true, false);
    played_link pair;
    if (discarded) pair.inbox.discard_call(pa::tag{7});
    std::byte into{};
    auto receiving = pair.receive(pa::tag{7}, {&into, 1});
    receiving.start(pair.world);
    std::uint64_t answered = 0;
    while (!pair.link.error() && answered < 4 * wire::max_announced) {
        pair.say({.kind = flow_kind::announce, .size = 1, .number = ++answered, .subject = 7});
        pair.say({.kind = flow_kind::withdraw, .number = answered, .subject = 7});
    }
    CHECK(pair.link.error() == pa::errc::bad_message);
    CHECK(answered > 2 * wire::max_announced);
}

TEST_CASE("answers that nobody waits for, and ends of calls that nobody made, are of no effect")
{
    played_link pair;
    for (std::uint64_t n = 1; n < 5000; ++n) {
        pair.say({.kind = flow_kind::grant, .number = n});
        pair.say({.kind = flow_kind::decline, .number = n});
        pair.say({.kind = flow_kind::withdraw, .number = n, .subject = n});
        pair.say({.kind = flow_kind::window, .subject = n});
        pair.say({.kind = flow_kind::over, .subject = n << 32});
    }
    CHECK(!pair.link.error());
}
