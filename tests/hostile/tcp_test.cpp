// Strangers, peers of another group, and peers that break the protocol on purpose: each loses its
// own connection, and nobody else notices.

#include <papilio/transport/tcp.hpp>

#include <papilio/async/asio_context.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/yield.hpp>
#include <papilio/base/crc32c.hpp>
#include <papilio/base/random.hpp>
#include <papilio/transport/tcp/connect.hpp>
#include <papilio/transport/tcp/listening_socket.hpp>

#include <support/collected_log.hpp>
#include <support/honest_pair.hpp>
#include <support/tcp_cluster.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace pa = papilio;
namespace tcp = papilio::tcp;
namespace wire = papilio::wire;
using namespace papilio::test;
using namespace std::chrono_literals;

namespace {

const tcp::endpoint here{"127.0.0.1", 0};
constexpr wire::hello hello_from_1{.group = 0, .from = 1, .to = 0, .generation = 1, .process = 5};
constexpr wire::hello hello_with_crc{
    .group = 0, .from = 1, .to = 0, .crc = true, .generation = 1, .process = 5};

// What a link begins with: how much the other side may send.
constexpr std::size_t window_frame = wire::frame::encoded_size + wire::flow::encoded_size;

std::vector<std::byte> bytes_of(const auto& encoded)
{
    return {encoded.begin(), encoded.end()};
}

std::vector<std::byte> frame_of(pa::tag t, std::uint32_t size)
{
    return bytes_of(wire::encode(wire::frame{t, size}));
}

std::vector<std::byte> operator+(std::vector<std::byte> a, const std::vector<std::byte>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// Somebody with a socket.
class stranger {
public:
    explicit stranger(pa::asio_loop& on) : loop_(on), socket_(pa::asio_context(on)) {}

    pa::task<> dial(tcp::endpoint to)
    {
        tcp::detail::resolver names(loop_);
        socket_ = co_await tcp::detail::connect_to(loop_, names, to);
        tcp::detail::tune(socket_, nullptr);
    }

    pa::task<> write(std::vector<std::byte> what)
    {
        co_await tcp::detail::write_all(socket_, what);
    }

    /// The next `size` bytes, or fewer when the other side closes first.
    pa::task<std::vector<std::byte>> read(std::size_t size)
    {
        std::vector<std::byte> heard;
        for (; heard.size() < size;) {
            std::array<std::byte, 1> next{};
            bool closed = false;
            try {
                co_await tcp::detail::read_all(socket_, next);
            } catch (const std::system_error&) {
                closed = true;
            }
            if (closed) break;
            heard.push_back(next[0]);
        }
        co_return heard;
    }

    /// Finishes when the other side has closed, and gives how many bytes it said before.
    pa::task<std::size_t> hear_the_end()
    {
        const auto heard = co_await read(1u << 20);
        co_return heard.size();
    }

    /// Becomes a peer like any other, as far as the others know.
    pa::task<> join(tcp::endpoint to, wire::hello h = hello_from_1)
    {
        co_await dial(to);
        co_await write(bytes_of(wire::encode(h)));
        const auto welcome = co_await read(wire::welcome::encoded_size);
        co_await write(welcome);
    }

    void hang_up() { socket_.close(); }

private:
    pa::asio_loop& loop_;
    tcp::detail::socket socket_;
};

/// A mesh of honest peers. The first has room for one more, whom a stranger may play.
struct honest_mesh {
    explicit honest_mesh(tcp::options o = {}) : cluster(3, o, false)
    {
        at = cluster.peer(0).local();
    }

    void connect()
    {
        cluster.run([](tcp::transport& net) { return net.connect(20s); });
    }

    /// The honest peers still talk to each other.
    void check()
    {
        cluster.run([](tcp::transport& net) -> pa::task<> {
            std::array<std::byte, 100> buffer{};
            for (int peer = 0; peer < 3; ++peer) {
                if (peer != net.rank()) {
                    co_await net.send(peer, pa::tag{77}, buffer);
                }
            }
            for (int peer = 0; peer < 3; ++peer) {
                if (peer != net.rank()) {
                    co_await net.recv(peer, pa::tag{77}, buffer);
                }
            }
        });
    }

    pa::asio_loop& loop() { return cluster.loop(); }

    tcp_cluster cluster;
    tcp::endpoint at;
};

/// Honest peers, whose third is a stranger of the same loop.
struct infiltrated_tcp_pair : honest_pair<tcp::transport> {
    explicit infiltrated_tcp_pair(tcp::options o = {}, wire::hello h = hello_from_1,
                                  const tcp::endpoint& at = here)
        : honest_pair(at, o), one(loop)
    {
        pa::sync_wait(loop, one.join(zero.local(), h));
        pa::sync_wait(loop, zero.connect({1}, 20s));
    }

    std::vector<std::byte> hear(std::size_t bytes) { return pa::sync_wait(loop, one.read(bytes)); }

    stranger one;
};

}  // namespace

TEST_CASE("whoever says something else than hello is turned away, and the mesh comes up")
{
    const auto right = bytes_of(wire::encode(hello_from_1));
    auto wrong_magic = right;
    wrong_magic[0] ^= std::byte{1};
    auto not_zero = right;
    not_zero[6] = std::byte{2};
    auto with_credentials = right;
    with_credentials[39] = std::byte{0xff};  // 4 GiB of them
    const auto with = [](auto change) {
        auto h = hello_from_1;
        change(h);
        return bytes_of(wire::encode(h));
    };
    const std::string web = "GET / HTTP/1.1\r\nHost: papilio.example\r\n\r\n";
    const auto as_bytes = std::as_bytes(std::span(web));
    const std::vector<std::vector<std::byte>> wrong = {
        {as_bytes.begin(), as_bytes.end()},
        std::vector<std::byte>(1000, std::byte{0}),
        std::vector<std::byte>(100'000, std::byte{0xff}),
        wrong_magic,
        not_zero,
        with([](auto& h) { h.group = 1; }),
        with([](auto& h) { h.to = 1; }),
        with([](auto& h) { h.from = 0; }),
        with([](auto& h) { h.from = 3; }),
        with([](auto& h) { h.from = 0xffffffff; }),
        with([](auto& h) { h.to = 0xffffffff; }),
        with([](auto& h) { h.connections = 2; }),
        with([](auto& h) { h.connections = 0; }),
        with([](auto& h) { h.connection = 1; }),
        with([](auto& h) { h.connection = 0xffffffff; }),
        with([](auto& h) { h.process = 0; }),
        with([](auto& h) { h.to_process = 77; }),
        with_credentials,
    };
    honest_mesh mesh;
    for (const auto& words : wrong) {
        const auto meet = [&]() -> pa::task<std::size_t> {
            stranger s(mesh.loop());
            co_await s.dial(mesh.at);
            try {
                co_await s.write(words);
            } catch (const std::system_error&) {
                // turned away before it had finished
            }
            co_return co_await s.hear_the_end();
        };
        CHECK(pa::sync_wait(mesh.loop(), meet()) == 0);
    }
    CHECK(mesh.cluster.peer(0).size() == 3);
    mesh.connect();
    mesh.check();
}

TEST_CASE("whoever falls silent in the middle of a hello is dropped in time")
{
    honest_mesh mesh({.handshake_timeout = 20ms});
    const auto right = bytes_of(wire::encode(hello_from_1));
    for (const std::size_t said : {0u, 1u, 8u, 32u, 63u, 64u}) {
        const auto meet = [&]() -> pa::task<std::size_t> {
            stranger s(mesh.loop());
            co_await s.dial(mesh.at);
            co_await s.write({right.begin(), right.begin() + static_cast<std::ptrdiff_t>(said)});
            co_return co_await s.hear_the_end();
        };
        CHECK(pa::sync_wait(mesh.loop(), meet()) == (said == 64 ? wire::welcome::encoded_size : 0));
    }
    mesh.connect();
    mesh.check();
}

TEST_CASE("a crowd of silent strangers only delays the mesh")
{
    honest_mesh mesh({.handshake_timeout = 50ms});
    std::list<stranger> crowd;
    const auto gather = [&]() -> pa::task<> {
        for (int i = 0; i < 270; ++i) {
            crowd.emplace_back(mesh.loop());
            co_await crowd.back().dial(mesh.at);
        }
    };
    pa::sync_wait(mesh.loop(), gather());
    mesh.connect();
    mesh.check();
}

TEST_CASE("a hello whose sender has given up does not take its place")
{
    honest_mesh mesh;
    const auto give_up = [&](bool after_welcome) -> pa::task<> {
        stranger s(mesh.loop());
        co_await s.dial(mesh.at);
        co_await s.write(bytes_of(wire::encode(hello_from_1)));
        if (after_welcome) {
            co_await s.read(wire::welcome::encoded_size);
        }
    };
    pa::sync_wait(mesh.loop(), give_up(false));  // hello and shutdown lie in the socket together
    pa::sync_wait(mesh.loop(), give_up(true));
    mesh.connect();
    mesh.check();
}

TEST_CASE("a welcome that is not repeated counts for nothing")
{
    honest_mesh mesh;
    const auto meet = [&]() -> pa::task<std::size_t> {
        stranger s(mesh.loop());
        co_await s.dial(mesh.at);
        co_await s.write(bytes_of(wire::encode(hello_from_1)) +
                         std::vector<std::byte>(wire::welcome::encoded_size, std::byte{1}));
        co_return co_await s.hear_the_end();
    };
    CHECK(pa::sync_wait(mesh.loop(), meet()) == wire::welcome::encoded_size);
    mesh.connect();
    mesh.check();
}

TEST_CASE("whoever claims a place that is taken is turned away, and the peer there stays")
{
    honest_mesh mesh;
    mesh.connect();
    const auto meet = [&]() -> pa::task<std::size_t> {
        stranger s(mesh.loop());
        co_await s.dial(mesh.at);
        co_await s.write(bytes_of(wire::encode(hello_from_1)));
        co_return co_await s.hear_the_end();
    };
    CHECK(pa::sync_wait(mesh.loop(), meet()) == 0);
    mesh.check();
}

TEST_CASE("a hello of a later generation in a peer's name is turned away, and the peer there stays")
{
    honest_mesh mesh;
    mesh.connect();
    const auto process = GENERATE(std::uint64_t{5}, std::uint64_t{1}, ~std::uint64_t{0});
    const auto meet = [&]() -> pa::task<std::size_t> {
        stranger s(mesh.loop());
        co_await s.dial(mesh.at);
        auto forged = hello_from_1;
        forged.generation = 0xffffffff;
        forged.process = process;
        co_await s.write(bytes_of(wire::encode(forged)));
        co_return co_await s.hear_the_end();
    };
    CHECK(pa::sync_wait(mesh.loop(), meet()) == 0);
    CHECK(mesh.cluster.peer(0).link_number(1) == 0);
    mesh.check();
}

TEST_CASE("a process that ends its link and dials again is let in again, and no other is")
{
    infiltrated_tcp_pair pair;
    pair.one.hang_up();
    CHECK(pair.verdict() == pa::errc::disconnected);
    const auto meet = [&](wire::hello h) {
        const auto dialled = [&]() -> pa::task<std::size_t> {
            stranger s(pair.loop);
            co_await s.join(pair.zero.local(), h);
            co_return 0;
        };
        try {
            pa::sync_wait(pair.loop, dialled());
        } catch (const std::system_error&) {
            // turned away, and the answer could not be written
        }
        return pair.zero.link_number(1);
    };
    auto next = hello_from_1;
    CHECK(meet(next) == 0);  // of the generation that has failed
    next.generation = 2;
    next.process = 6;
    CHECK(meet(next) == 0);
    next.process = 5;
    pa::sync_wait(pair.loop, pair.one.join(pair.zero.local(), next));
    pa::sync_wait(pair.loop, pair.zero.connect({1}, 20s));
    CHECK(pair.zero.link_number(1) == 1);
    pa::sync_wait(pair.loop, pair.one.write(frame_of(pa::tag{99}, 1) + std::vector<std::byte>(1)));
    CHECK(pair.verdict() == std::error_code{});
    CHECK(pair.unharmed());
}

TEST_CASE("whoever speaks another version is told ours, and the peers stay")
{
    honest_mesh mesh;
    auto other = wire::encode(hello_from_1);
    other[4] = std::byte{1};
    const auto meet = [&]() -> pa::task<std::vector<std::byte>> {
        stranger s(mesh.loop());
        co_await s.dial(mesh.at);
        co_await s.write(bytes_of(other));
        co_return co_await s.read(5);
    };
    const auto heard = pa::sync_wait(mesh.loop(), meet());
    CHECK(heard == bytes_of(std::array{std::byte{'P'}, std::byte{'P'}, std::byte{'V'},
                                       std::byte{wire::wire_version}}));
    mesh.connect();
    mesh.check();
}

TEST_CASE("who is answered by another version says both")
{
    pa::asio_loop loop;
    asio::ip::tcp::acceptor acceptor(pa::asio_context(loop));
    tcp::detail::listen_at(acceptor, here);
    const tcp::endpoint at{"127.0.0.1", acceptor.local_endpoint().port()};
    tcp::transport net(loop, 1, {at, {}});
    const auto refuse = [&]() -> pa::task<> {
        for (;;) {
            co_await tcp::detail::readable(acceptor);
            tcp::detail::socket s = acceptor.accept();
            s.non_blocking(true);
            const std::array answer{std::byte{'P'}, std::byte{'P'}, std::byte{'V'}, std::byte{7}};
            co_await tcp::detail::write_all(s, answer);
        }
    };
    auto refusing = refuse();
    refusing.start(loop);
    CHECK_THROWS_WITH(pa::sync_wait(loop, net.connect(500ms)),
                      Catch::Contains("speaks version 7 of the wire, and this peer version 2"));
}

TEST_CASE("a stranger who answers in a peer's stead is not taken for it")
{
    pa::asio_loop loop;
    asio::ip::tcp::acceptor acceptor(pa::asio_context(loop));
    tcp::detail::listen_at(acceptor, here);
    const tcp::endpoint at{"127.0.0.1", acceptor.local_endpoint().port()};
    tcp::transport net(loop, 1, {at, {}}, {.handshake_timeout = 20ms});
    const auto answer = GENERATE(
        std::vector<std::byte>{},  // closes
        std::vector<std::byte>(1, std::byte{0x50}), std::vector<std::byte>(4, std::byte{7}),
        std::vector<std::byte>(40, std::byte{0}), bytes_of(wire::encode(wire::welcome{false, 0})));
    const auto pretend = [&]() -> pa::task<> {
        for (;;) {
            co_await tcp::detail::readable(acceptor);
            tcp::detail::socket s = acceptor.accept();
            s.non_blocking(true);
            co_await tcp::detail::write_all(s, answer);
        }
    };
    auto pretender = pretend();
    pretender.start(loop);
    try {
        pa::sync_wait(loop, net.connect(60ms));
        FAIL("there is no such peer");
    } catch (const std::system_error& e) {
        CHECK(e.code() == pa::errc::timed_out);
    }
    CHECK(!net.connected(0));
}

TEST_CASE("bytes that are no frame end the link they came on, and no other")
{
    infiltrated_tcp_pair pair;
    auto wrong = frame_of(pa::tag{99}, 5);
    wrong[static_cast<std::size_t>(GENERATE(0, 7, 8, 11, 12, 15))] ^= std::byte{0x10};
    pa::sync_wait(pair.loop, pair.one.write(wrong));
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(!pair.zero.connected(1));
    CHECK(pa::sync_wait(pair.loop, pair.one.hear_the_end()) < 100);
    CHECK(pair.unharmed());
}

TEST_CASE("a size beyond the limit ends the link before anything of the message comes")
{
    infiltrated_tcp_pair pair({.max_message = 1000});
    pa::sync_wait(pair.loop, pair.one.write(frame_of(pa::tag{99}, GENERATE(1001u, 0xffffffffu))));
    CHECK(pair.verdict() == pa::errc::too_large);
    CHECK(pair.unharmed());
}

TEST_CASE("an early message beyond the limit ends the link before anything of it comes")
{
    infiltrated_tcp_pair pair({.max_message = 0xffffffff, .early_limit = 65'536});
    const auto size = GENERATE(65'537u, 0xffffffffu);
    pa::sync_wait(pair.loop, pair.one.write(frame_of(pa::tag{1}, size)));
    CHECK(pair.verdict() == pa::errc::bad_message);
    CHECK(pair.unharmed());
}

TEST_CASE("many early messages end the link when they exceed the limit, empty ones too")
{
    infiltrated_tcp_pair pair({.early_limit = 100'000});
    const auto flood = [&]() -> pa::task<> {
        try {
            for (std::uint64_t i = 0; i < 100'000; ++i) {
                co_await pair.one.write(frame_of(pa::tag{i}, 0));
            }
        } catch (const std::system_error&) {
            // so it was noticed
        }
    };
    auto flooding = flood();
    flooding.start(pair.loop);
    CHECK(pair.verdict(pa::tag{~std::uint64_t{9}}) == pa::errc::bad_message);
    CHECK(pair.unharmed());
}

TEST_CASE("a flood of signs of life does not keep the loop from anything else")
{
    infiltrated_tcp_pair pair;
    constexpr int beats = 100'000;
    std::vector<std::byte> flood;
    for (int i = 0; i < beats; ++i) flood = std::move(flood) + frame_of(wire::heartbeat, 0);
    flood = std::move(flood) + frame_of(pa::tag{99}, 1) + std::vector<std::byte>(1);
    auto flooding = pair.one.write(std::move(flood));
    flooding.start(pair.loop);  // as much as the sockets hold lies there before anybody reads

    long others = 0;
    const auto other = [&]() -> pa::task<> {
        for (;;) {
            co_await pa::yield{};
            ++others;
        }
    };
    auto somebody = other();
    somebody.start(pair.loop);
    CHECK(pair.verdict() == std::error_code{});
    CHECK(others >= beats * 16 / 4096 / 2);  // about one turn for each piece that is read
}

TEST_CASE("a flood of shutdowns is answered once")
{
    infiltrated_tcp_pair pair;
    std::vector<std::byte> flood;
    for (int i = 0; i < 1000; ++i) flood = std::move(flood) + frame_of(wire::shutdown, 0);
    pa::sync_wait(pair.loop, pair.one.write(flood));
    CHECK(pair.verdict() == pa::errc::disconnected);
    // All were read together: when one answer is there, any others are, or wait to be written.
    CHECK(wire::parse_frame(pair.hear(window_frame).data()).what == wire::flow_tag);
    CHECK(wire::parse_frame(pair.hear(wire::frame::encoded_size).data()).what == wire::shutdown);
    pair.zero.admit(1);  // ends the stream, behind them
    CHECK(pa::sync_wait(pair.loop, pair.one.hear_the_end()) == 0);
    CHECK(pair.unharmed());
}

TEST_CASE("frames may come in any pieces")
{
    infiltrated_tcp_pair pair;
    std::vector<std::byte> stream;
    std::vector<std::size_t> sizes = {0, 1, 5, 4064, 4080, 4096, 4097, 10'000, 0, 3};
    for (std::size_t i = 0; i < sizes.size(); ++i)
        stream = std::move(stream) + frame_of(pa::tag{i}, static_cast<std::uint32_t>(sizes[i])) +
                 std::vector<std::byte>(sizes[i], static_cast<std::byte>(i));
    const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{16},
                                       std::size_t{4095}, std::size_t{1} << 20);
    const auto dribble = [&]() -> pa::task<> {
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            const auto end = std::min(at + piece, stream.size());
            co_await pair.one.write({stream.begin() + static_cast<std::ptrdiff_t>(at),
                                     stream.begin() + static_cast<std::ptrdiff_t>(end)});
            co_await pa::yield{};
        }
    };
    auto dribbling = dribble();
    dribbling.start(pair.loop);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        std::vector<std::byte> into(sizes[i]);
        CHECK(pa::sync_wait(pair.loop, pair.zero.recv(1, pa::tag{i}, into)) == sizes[i]);
        CHECK(into == std::vector<std::byte>(sizes[i], static_cast<std::byte>(i)));
    }
}

TEST_CASE("random bytes after the handshake end the link")
{
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        infiltrated_tcp_pair pair({.max_message = 10'000, .early_limit = 65'536});
        pa::random random(seed);
        std::vector<std::byte> noise(1 + random.below(5000));
        for (auto& b : noise) b = static_cast<std::byte>(random.below(256));
        if (seed % 2) noise = frame_of(pa::tag{1}, 100) + noise;  // or out of step
        const auto talk = [&]() -> pa::task<> {
            co_await pair.one.write(noise);
            pair.one.hang_up();
        };
        pa::sync_wait(pair.loop, talk());
        INFO("seed " << seed);
        const auto verdict = pair.verdict();
        CHECK((verdict == pa::errc::bad_message || verdict == pa::errc::disconnected));
        CHECK(pair.unharmed());
    }
}

TEST_CASE("a message that was changed on its way ends the link, and the log names the peer")
{
    const pa::test::collected_log log;
    infiltrated_tcp_pair pair({.crc = tcp::content_crc::always}, hello_with_crc);
    std::vector<std::byte> content(10, std::byte{3}), check(4);
    pa::store(check.data(), pa::crc32c(content));
    const bool right = GENERATE(true, false);
    if (!right) content[7] ^= std::byte{0x40};
    pa::sync_wait(pair.loop, pair.one.write(frame_of(pa::tag{99}, 10) + content + check));
    CHECK(pair.verdict() == (right ? std::error_code{} : pa::errc::corrupted));
    CHECK(pair.zero.connected(1) == right);
    CHECK(log.has("warning: link failed rank=0 peer=1 why=\"message corrupted on its way\"") ==
          !right);
    CHECK(pair.unharmed());
}

TEST_CASE("contents are checked where both sides want it, and links come up where one does not")
{
    using enum tcp::content_crc;
    const auto ours = GENERATE(always, between_hosts, never);
    const auto h = GENERATE(hello_with_crc, hello_from_1);
    const bool both = ours == always && h.crc;  // loopback is within a host
    infiltrated_tcp_pair pair({.crc = ours}, h);
    const std::vector<std::byte> content(10, std::byte{3});
    const auto talk = [&]() -> pa::task<std::size_t> {
        co_await pair.zero.send(1, pa::tag{7}, content);
        co_await pair.zero.send(1, pa::tag{8}, {});
        co_await pair.one.read(window_frame + 4 * both);
        const auto all = co_await pair.one.read(2 * wire::frame::encoded_size + 10 + 4 * both);
        co_return wire::parse_frame(&all[all.size() - wire::frame::encoded_size]).size;
    };
    CHECK(pa::sync_wait(pair.loop, talk()) == 0);
    const std::vector<std::byte> wrong(4, std::byte{9});
    const auto message = frame_of(pa::tag{99}, 10) + content;
    pa::sync_wait(pair.loop, pair.one.write(both ? message + wrong : message));
    CHECK(pair.verdict() == (both ? pa::errc::corrupted : std::error_code{}));
}

TEST_CASE("contents are checked by default where the two ends have different addresses")
{
    const tcp::endpoint elsewhere{"127.0.0.2", 0};  // dialled from 127.0.0.1
    infiltrated_tcp_pair pair({}, hello_with_crc, elsewhere);
    const std::vector<std::byte> content(10, std::byte{3}), wrong(4, std::byte{9});
    pa::sync_wait(pair.loop, pair.one.write(frame_of(pa::tag{99}, 10) + content + wrong));
    CHECK(pair.verdict() == pa::errc::corrupted);
}

TEST_CASE("peers of which one wants no CRC talk to each other")
{
    pa::asio_loop loop;
    tcp::transport with(loop, 0, {here, {}}, {.crc = tcp::content_crc::always});
    tcp::transport without(loop, 1, {with.local(), here}, {.crc = tcp::content_crc::never});
    pa::sync_wait(loop, without.connect(20s));
    const std::vector<std::byte> content(100'000, std::byte{3});
    std::vector<std::byte> into(content.size());
    const auto talk = [&]() -> pa::task<> {
        co_await with.send(1, pa::tag{1}, content);
        co_await without.recv(0, pa::tag{1}, into);
        co_await without.send(0, pa::tag{2}, content);
        co_await with.recv(1, pa::tag{2}, into);
    };
    pa::sync_wait(loop, talk());
    CHECK(into == content);
}
