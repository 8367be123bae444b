#include <papilio/transport/detail/peer_link.hpp>

#include <papilio/sim/world.hpp>
#include <papilio/transport/detail/liveness.hpp>
#include <papilio/wire/flow.hpp>
#include <papilio/wire/frame.hpp>

#include "support/memory_stream.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pa = papilio;
using namespace papilio::test;
using namespace std::chrono_literals;
using pa::detail::peer_link;

namespace {

/// A memory stream that says of how many streams its link consists.
class one_of final : public pa::byte_stream {
public:
    one_of(std::unique_ptr<pa::byte_stream> s, std::uint32_t streams)
        : stream_(std::move(s)), streams_(streams)
    {
    }
    std::size_t read_some(std::span<const pa::mutable_bytes> into, std::error_code& e) override
    {
        return stream_->read_some(into, e);
    }
    std::size_t write_some(std::span<const pa::bytes> from, std::error_code& e) override
    {
        return stream_->write_some(from, e);
    }
    pa::task<> readable() override { return stream_->readable(); }
    pa::task<> writable() override { return stream_->writable(); }
    const char* kind() const override { return "memory"; }
    std::uint32_t streams() const override { return streams_; }
    void close() noexcept override { stream_->close(); }

private:
    std::unique_ptr<pa::byte_stream> stream_;
    std::uint32_t streams_;
};

/// Two ends of a link, in virtual time.
struct linked_pair {
    explicit linked_pair(std::uint32_t streams,
                         std::size_t early_limit = pa::mailbox::default_limit)
        : inbox_a(early_limit), inbox_b(early_limit)
    {
        for (std::uint32_t i = 0; i < streams; ++i) {
            auto ends = make_memory_streams();
            there.push_back(std::make_unique<one_of>(std::move(ends.first), streams));
            here.push_back(std::make_unique<one_of>(std::move(ends.second), streams));
        }
    }

    void add(std::uint32_t i)
    {
        a.add({.connection = i}, std::move(there[i]), 1, 0);
        b.add({.connection = i}, std::move(here[i]), 2, 0);
    }
    void add_all()
    {
        for (std::uint32_t i = 0; i < there.size(); ++i) add(i);
    }

    pa::sim::world world;
    pa::mesh_options options{.heartbeat = 1s, .idle_timeout = 3s};
    pa::mailbox inbox_a, inbox_b;
    peer_link a{world, inbox_a, 0, 1, options, pa::detail::link_identity(1)};
    peer_link b{world, inbox_b, 1, 0, options, pa::detail::link_identity(2)};
    std::vector<std::unique_ptr<pa::byte_stream>> there, here;
};

/// A link of several streams, to a peer whose bytes the test writes.
struct played_peer {
    explicit played_peer(std::uint32_t streams)
    {
        link.emplace(world, inbox, 0, 1, options, pa::detail::link_identity(1));
        for (std::uint32_t i = 0; i < streams; ++i) {
            auto ends = make_memory_streams();
            link->add({.connection = i}, std::make_unique<one_of>(std::move(ends.first), streams),
                      2, 0);
            theirs.push_back(std::move(ends.second));
        }
    }

    void run()
    {
        while (world.run_one()) {
        }
    }
    void write(std::size_t stream, pa::tag t, std::size_t size, pa::bytes content = {})
    {
        const auto head = pa::wire::encode(pa::wire::frame{t, static_cast<std::uint32_t>(size)});
        const std::array<pa::bytes, 2> all{head, content};
        std::error_code error;
        CHECK(theirs[stream]->write_some(all, error) == head.size() + content.size());
        run();
    }
    void end(std::size_t stream)
    {
        write(stream, pa::wire::shutdown, 0);
        theirs[stream]->close();
        run();
    }

    pa::sim::world world;
    pa::mesh_options options;
    pa::mailbox inbox{std::size_t{1} << 20};
    std::optional<peer_link> link;
    std::vector<std::unique_ptr<pa::byte_stream>> theirs;
};

pa::task<> send(peer_link& by, std::uint64_t t, std::size_t size)
{
    const std::vector<std::byte> message(size);
    co_await by.settled();
    pa::detail::connection& chosen = by.connection_for(pa::tag{t});
    co_await chosen.send(pa::tag{t}, message);
}

pa::task<std::size_t> receive(pa::mailbox& from, int peer, std::uint64_t t)
{
    std::vector<std::byte> into(100'000);
    co_return co_await from.take(peer, pa::tag{t}, into);
}

std::error_code failure_of(pa::task<std::size_t>& work)
{
    try {
        work.result();
    } catch (const std::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace

TEST_CASE("a link is established with the last of its streams, and expects each once")
{
    linked_pair pair(3);
    CHECK(pair.a.expects(2, 3));
    CHECK(!pair.a.expects(3, 3));
    pair.add(1);
    CHECK(pair.a.streams() == 3);
    CHECK(!pair.a.expects(1, 3));
    CHECK(!pair.a.expects(0, 2));
    CHECK(pair.a.expects(0, 3));
    pair.add(0);
    CHECK(!pair.a.connected());
    CHECK(pair.a.kind().empty());
    auto early = send(pair.a, 1, 10);
    early.start(pair.world);
    pair.add(2);
    CHECK(pair.a.connected());
    CHECK(pair.a.kind() == "memory");
    CHECK(pa::sync_wait(pair.world, receive(pair.inbox_b, 0, 1)) == 10);
    const auto window = pa::wire::frame::encoded_size + pa::wire::flow::encoded_size;
    CHECK(pair.a.arrived() == window + pa::wire::frame::encoded_size + 10);
}

TEST_CASE("a link fails with the first of its streams, and everything that waits for it")
{
    linked_pair pair(2);
    pair.add_all();
    auto waiting = receive(pair.inbox_a, 1, 1);
    waiting.start(pair.world);
    pair.b.fail(pa::errc::too_large);
    while (!waiting.finished()) REQUIRE(pair.world.run_one());
    CHECK(failure_of(waiting) == pa::errc::disconnected);
    CHECK(pair.a.error() == pa::errc::disconnected);
    CHECK(!pair.a.connected());
    CHECK(pair.a.is_settled());
    CHECK_THROWS_AS(pa::sync_wait(pair.world, send(pair.a, 1, 1)), std::system_error);
    CHECK(!pair.a.expects(0, 2));
}

TEST_CASE("a link shuts down when both sides have said so, after all that was sent")
{
    linked_pair pair(2);
    pair.add_all();
    std::vector<pa::task<>> work;
    for (std::uint64_t t = 0; t < 4; ++t) work.push_back(send(pair.a, t, 50'000));
    work.push_back(pair.a.shut_down());
    const auto all = [](std::vector<pa::task<>> tasks) -> pa::task<> {
        co_await pa::when_all(std::move(tasks));
    };
    pa::sync_wait(pair.world, all(std::move(work)));
    for (std::uint64_t t = 0; t < 4; ++t)
        CHECK(pa::sync_wait(pair.world, receive(pair.inbox_b, 0, t)) == 50'000);
    auto after = receive(pair.inbox_b, 0, 9);
    after.start(pair.world);
    while (!after.finished()) REQUIRE(pair.world.run_one());
    CHECK(failure_of(after) == pa::errc::disconnected);
}

TEST_CASE("a link shuts down when what waits has been asked for")
{
    linked_pair pair(2, pa::wire::first_window);
    pair.add_all();
    const std::vector<std::byte> message(90'000);
    CHECK(pair.a.post(pa::tag{1}, message));
    auto shutting_down = pair.a.shut_down();
    shutting_down.start(pair.world);
    for (int i = 0; i < 10'000; ++i) pair.world.run_one();
    CHECK(!shutting_down.finished());
    CHECK(pa::sync_wait(pair.world, receive(pair.inbox_b, 0, 1)) == message.size());
    while (!shutting_down.finished()) REQUIRE(pair.world.run_one());
}

TEST_CASE("what waits ends when the peer shuts the link down, and nothing more is sent")
{
    linked_pair pair(2, pa::wire::first_window);
    pair.add_all();
    auto waits = send(pair.a, 1, 90'000);
    waits.start(pair.world);
    auto shutting_down = pair.b.shut_down();
    shutting_down.start(pair.world);
    while (!waits.finished()) REQUIRE(pair.world.run_one());
    CHECK_THROWS_AS(waits.result(), std::system_error);
    const pa::bytes none;
    CHECK(!pair.a.connection_for(pa::tag{2}).post(pa::tag{2}, none));
    auto later = send(pair.a, 3, 90'000);
    later.start(pair.world);
    REQUIRE(later.finished());
    CHECK_THROWS_AS(later.result(), std::system_error);
    while (!shutting_down.finished()) REQUIRE(pair.world.run_one());
    CHECK(pair.b.is_last());
}

TEST_CASE("a link goes while a message is half there on any of its streams")
{
    const std::size_t on = GENERATE(0u, 1u, 2u);
    played_peer peer(3);
    peer.write(on, pa::tag{7}, 900'000, std::vector<std::byte>(1000));
    CHECK(peer.inbox.most_held() > 900'000);
    peer.link.reset();
    peer.run();
}

TEST_CASE("what waits on a stream that has ended fails with its link though it is asked for")
{
    played_peer peer(2);
    const auto& first = peer.link->connection_for(pa::tag{0});
    std::uint64_t other = 1;  // a tag of the other stream
    while (&peer.link->connection_for(pa::tag{other}) == &first) ++other;
    bool failed = false;
    const auto sending = [&](std::uint64_t t) -> pa::task<> {
        try {
            co_await send(*peer.link, t, 200'000);
        } catch (const std::system_error&) {
            failed = true;
        }
    };
    auto waits = sending(GENERATE_COPY(std::uint64_t{0}, other));
    waits.start(peer.world);
    peer.run();
    peer.end(0);
    CHECK(!peer.link->error());
    const auto grant = pa::wire::encode({.kind = pa::wire::flow_kind::grant, .number = 1});
    peer.write(1, pa::wire::flow_tag, grant.size(), grant);
    peer.end(1);
    CHECK(peer.link->error());
    CHECK((waits.finished()));
    CHECK(failed == !!peer.link->error());
}

TEST_CASE("a link answers about a call that has ended, also before all of its streams are there")
{
    linked_pair pair(2);
    const bool late = GENERATE(false, true);
    const auto under = [](pa::message_kind kind, std::uint32_t index) {
        return static_cast<std::uint64_t>(pa::make_tag({.call = 5, .kind = kind, .index = index}));
    };
    const auto run = [&] {
        while (pair.world.run_one()) {
        }
    };
    pair.inbox_a.leave_answer(pa::make_tag({.call = 5}), std::vector<std::byte>(20));
    for (const std::uint32_t i : {0u, 1u})
        pair.b.add({.connection = i}, std::move(pair.here[i]), 2, 0);
    pair.a.add({.connection = 0}, std::move(pair.there[0]), 1, 0);
    if (!late) pair.a.add({.connection = 1}, std::move(pair.there[1]), 1, 0);
    std::vector<pa::task<>> asks;  // over both streams
    for (std::uint32_t i = 0; i < 8; ++i)
        asks.push_back(send(pair.b, under(pa::message_kind::view, i), 10));
    for (auto& ask : asks) ask.start(pair.world);
    run();
    if (late) pair.a.add({.connection = 1}, std::move(pair.there[1]), 1, 0);
    auto answer = receive(pair.inbox_b, 0, under(pa::message_kind::answer, 0));
    auto another = receive(pair.inbox_b, 0, under(pa::message_kind::answer, 0));
    answer.start(pair.world);
    another.start(pair.world);
    run();
    REQUIRE(answer.finished());
    CHECK(answer.result() == 20);
    CHECK_FALSE(another.finished());
}

TEST_CASE("heartbeats keep a quiet link up, and without them it fails")
{
    linked_pair pair(1);
    pair.add_all();
    std::vector<std::shared_ptr<peer_link>> links;
    links.push_back(std::make_shared<peer_link>(pair.world, pair.inbox_a, 0, 1, pair.options,
                                                pa::detail::link_identity(1)));
    auto ends = make_memory_streams();
    links[0]->add({}, std::move(ends.first), 1, 0);
    peer_link other(pair.world, pair.inbox_b, 1, 0, pair.options, pa::detail::link_identity(2));
    other.add({}, std::move(ends.second), 1, 0);
    pa::detail::liveness watched(pair.world, links, pair.options);
    const auto wait = [](pa::duration span) -> pa::task<> { co_await pa::sleep_for(span); };
    for (int second = 0; second < 10; ++second) {
        pa::sync_wait(pair.world, wait(1s));
        other.send_heartbeats();
    }
    CHECK(links[0]->connected());
    CHECK(other.last_heard() > pa::time_point{8s});
    pa::sync_wait(pair.world, wait(5s));
    CHECK(links[0]->error() == pa::errc::silent);
}
