#include <papilio/transport/tcp/listener.hpp>

#include <papilio/async/asio_context.hpp>
#include <papilio/async/asio_owned_fd.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/transport/tcp/listening_socket.hpp>
#include <papilio/transport/tcp/socket.hpp>
#include <papilio/wire/frame.hpp>

#include <faults/drop_every_step.hpp>
#include <support/channel_contract.hpp>
#include <support/collected_log.hpp>
#include <support/process_limit.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace pa = papilio;
namespace tcp = papilio::tcp;
using namespace std::chrono_literals;

static_assert(pa::channel<tcp::channel>);
static_assert(pa::channel_source<tcp::listener>);

namespace {

pa::task<> dial_into(pa::asio_loop& on, tcp::endpoint to, std::optional<tcp::channel>& into)
{
    into.emplace(co_await tcp::dial(on, to, 5s));
}

pa::task<> accept_into(tcp::listener& from, std::optional<tcp::channel>& into)
{
    into.emplace(co_await from.accept());
}

pa::task<> connect(pa::asio_loop& on, tcp::listener& from, std::optional<tcp::channel>& a,
                   std::optional<tcp::channel>& b)
{
    std::vector<pa::task<>> both;
    both.push_back(dial_into(on, from.local(), a));
    both.push_back(accept_into(from, b));
    co_await pa::when_all(std::move(both));
}

pa::task<> say(tcp::detail::socket& s, tcp::endpoint to, std::string words)
{
    const asio::ip::tcp::endpoint address(asio::ip::make_address(to.host), to.port);
    const auto error = co_await tcp::detail::connected(s, address);
    if (error) throw std::system_error(error);
    s.non_blocking(true);
    const auto message = std::as_bytes(std::span(words));
    co_await tcp::detail::write_all(s, message);
}

/// The time in which a stranger is dropped, by its own eyes.
pa::task<bool> is_dropped(tcp::detail::socket& s)
{
    std::array<std::byte, 1> buffer{};
    bool dropped = false;
    try {
        co_await tcp::detail::read_all(s, buffer);
    } catch (const std::system_error&) {
        dropped = true;
    }
    co_return dropped;
}

pa::task<std::string> why_not(pa::asio_loop& on, tcp::endpoint to,
                              std::error_code expected = pa::errc::timed_out)
{
    std::string why;
    try {
        co_await tcp::dial(on, to, 50ms);
    } catch (const std::system_error& failure) {
        if (failure.code() == expected.default_error_condition()) why = failure.what();
    }
    co_return why;
}

bool has_ipv6(pa::asio_loop& on)
{
    asio::ip::tcp::acceptor any(pa::asio_context(on));
    return !tcp::detail::try_to_listen(any, {asio::ip::address_v6::loopback(), 0});
}

}  // namespace

TEST_CASE("a listener at any address of IPv6 has those of IPv4, too", "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"::", 0});
    const auto port = listener.local().port;
    for (const char* host : {"127.0.0.1", "::1"}) {
        if (std::string(host) == "::1" && !has_ipv6(loop)) continue;
        std::vector<pa::task<>> both;
        std::optional<tcp::channel> a, b;
        both.push_back(dial_into(loop, {host, port}, a));
        both.push_back(accept_into(listener, b));
        const auto meet = [&]() -> pa::task<> { co_await pa::when_all(std::move(both)); };
        pa::sync_wait(loop, meet());
        CHECK(b->remote() == host);
    }
    CHECK_THROWS_WITH(tcp::listener(loop, {"0.0.0.0", port}), Catch::Contains("cannot listen at"));
}

TEST_CASE("a listener may be dialled at an endpoint in place", "[tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    std::optional<tcp::channel> a, b;
    const auto dial = [&]() -> pa::task<> {
        // 127.0.0.1, too long to lie in the string itself.
        a.emplace(co_await tcp::dial(loop, {"0177.0000.0000.0001", listener.local().port}, 5s));
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(dial());
    tasks.push_back(accept_into(listener, b));
    const auto both = [&]() -> pa::task<> { co_await pa::when_all(std::move(tasks)); };
    pa::sync_wait(loop, both());
    CHECK((a && b));
}

TEST_CASE("a channel over TCP keeps what channels promise", "[channel][tcp]")
{
    for (const auto& rule : pa::test::channel_contract()) {
        DYNAMIC_SECTION(rule.sentence)
        {
            pa::asio_loop loop;
            tcp::listener listener(loop, {"127.0.0.1", 0});
            std::optional<tcp::channel> a, b;
            pa::sync_wait(loop, connect(loop, listener, a, b));
            CHECK(a->remote() == "127.0.0.1");
            pa::any_channel one(std::move(*a));
            auto other = std::make_unique<pa::any_channel>(std::move(*b));
            pa::sync_wait(loop, rule.check(one, other));
        }
    }
}

TEST_CASE("connections that send no channel hello are closed, silent ones too", "[channel][tcp]")
{
    const pa::test::collected_log log;
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0}, 20ms);
    for (const char* words : {"GET / HTTP/1.1\r\n\r\n", "PAPC\x01\x00\x00\x00 v1", "PAP", ""}) {
        tcp::detail::socket stranger(pa::asio_context(loop));
        pa::sync_wait(loop, say(stranger, listener.local(), words));
        CHECK(pa::sync_wait(loop, is_dropped(stranger)));
    }
    CHECK(log.count("warning: channel refused why=") == 4);
    std::optional<tcp::channel> a, b;
    pa::sync_wait(loop, connect(loop, listener, a, b));
    CHECK((a && b));
}

TEST_CASE("an invalid frame ends the channel before memory is allocated", "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    tcp::detail::socket liar(pa::asio_context(loop));
    std::string words("PAPC\x02\x00\x00\x00", 8);
    std::vector<std::byte> frame;
    SECTION("of another protocol")
    {
        words += std::string(16, 'x');
    }
    SECTION("of four gigabytes")
    {
        const auto head = papilio::wire::encode(papilio::wire::frame{pa::tag{}, 0xffff'ffff});
        words.append(reinterpret_cast<const char*>(head.data()), head.size());
    }
    pa::sync_wait(loop, say(liar, listener.local(), words));
    pa::any_channel heard(pa::sync_wait(loop, listener.accept()));
    const auto why = pa::sync_wait(loop, pa::test::failure_of_recv(heard, 1000));
    CHECK((why == pa::errc::bad_message || why == pa::errc::too_large));
}

TEST_CASE("an endpoint that cannot be reached is named, with the last failure", "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::endpoint nobody;
    {
        tcp::listener listener(loop, {"127.0.0.1", 0});
        nobody = listener.local();
    }
    const pa::test::collected_log log;
    const auto why = pa::sync_wait(loop, why_not(loop, nobody));
    CHECK(log.has("debug: dial failed at=" + tcp::to_string(nobody) + " why="));
    CHECK(why.find("cannot reach " + tcp::to_string(nobody)) != std::string::npos);
    CHECK(why.find("refused") != std::string::npos);
}

TEST_CASE("a port that is taken is refused by name", "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    CHECK_THROWS_WITH(tcp::listener(loop, listener.local()),
                      Catch::Contains("cannot listen at " + tcp::to_string(listener.local())));
}

TEST_CASE("of 70 channels that nobody accepts 64 are kept", "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    std::vector<std::optional<tcp::channel>> dialled(70);
    int closed = 0;
    pa::gate six_closed;
    const auto watch = [&](std::optional<tcp::channel>& c) -> pa::task<> {
        co_await dial_into(loop, listener.local(), c);
        try {
            co_await c->recv(1);
        } catch (const std::system_error&) {
            if (++closed == 6) six_closed.open();
        }
    };
    std::vector<pa::task<>> watching;
    for (auto& c : dialled) {
        watching.push_back(watch(c));
        watching.back().start(loop);
    }
    const auto wait = [&]() -> pa::task<> { co_await six_closed.opened(); };
    const auto within_reason = [&]() -> pa::task<> {
        co_await pa::timeout(wait(), loop.now() + 20s);
    };
    pa::sync_wait(loop, within_reason());

    std::vector<tcp::channel> accepted;
    const auto accept_all = [&]() -> pa::task<> {
        while (accepted.size() < 64) {
            auto next = co_await listener.accept();
            accepted.push_back(std::move(next));
        }
    };
    pa::sync_wait(loop, accept_all());
    CHECK(closed == 6);
}

TEST_CASE("dial, accept, send and recv can be dropped after any event", "[channel][tcp][drop]")
{
    pa::asio_loop loop;
    const auto talk = [](pa::asio_loop& on, bool& heard) -> pa::task<> {
        tcp::listener listener(on, {"127.0.0.1", 0});
        std::optional<tcp::channel> a, b;
        co_await connect(on, listener, a, b);
        const std::vector<std::byte> message(300'000, std::byte{7});
        std::vector<pa::task<>> both;
        both.push_back(a->send(message));
        const auto hear = [&]() -> pa::task<> {
            const auto got = co_await b->recv(message.size());
            heard = got == message;
            co_await b->close();
        };
        both.push_back(hear());
        co_await pa::when_all(std::move(both));
        co_await a->close();
    };
    bool heard = false;
    int steps = 0;
    for (bool done = false; !done; ++steps) {
        std::vector<pa::task<>> tasks;
        tasks.push_back(talk(loop, heard));
        tasks.back().start(loop);
        done = pa::test::run_steps(loop, tasks, steps);
        if (done) tasks.back().result();
    }
    CHECK(steps > 20);
    CHECK(heard);
}

// The sanitizer of undefined behaviour needs descriptors itself.
#if !defined(__SANITIZE_ADDRESS__)

namespace {

/// Takes every descriptor that this process may still have.
class full_table {
public:
    full_table()
    {
        for (;;) {
            pa::detail::owned_fd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (next.get() < 0) break;
            taken_.push_back(std::move(next));
        }
        REQUIRE(errno == EMFILE);
    }

    void release() { taken_.clear(); }

private:
    pa::test::process_limit limit_{RLIMIT_NOFILE, 256};
    std::list<pa::detail::owned_fd> taken_;
};

/// Connects without the loop: the system accepts in the listener's stead.
void connect_now(tcp::detail::socket& s, std::uint16_t port)
{
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(s.native_handle(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    s.non_blocking(true);
}

}  // namespace

TEST_CASE("who lacks a descriptor to dial with is told that, and not that nobody answers",
          "[channel][tcp]")
{
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    const pa::test::process_limit no_descriptors(RLIMIT_NOFILE, 0);
    const auto expected = std::make_error_code(std::errc::too_many_files_open);
    const auto why = pa::sync_wait(loop, why_not(loop, listener.local(), expected));
    CHECK(why.find("cannot reach " + tcp::to_string(listener.local())) != std::string::npos);
}

TEST_CASE("a listener without descriptors refuses whoever comes, and goes on when there are some",
          "[channel][tcp]")
{
    const pa::test::collected_log log;
    pa::asio_loop loop;
    tcp::listener listener(loop, {"127.0.0.1", 0});
    std::list<tcp::detail::socket> callers;
    for (int i = 0; i < 5; ++i) {
        std::error_code error;
        callers.emplace_back(pa::asio_context(loop));
        tcp::detail::open(callers.back(), asio::ip::tcp::v4(), error);
        REQUIRE_FALSE(error);
    }
    full_table table;
    for (auto& c : callers) {
        connect_now(c, listener.local().port);
        pa::task<bool> turned_away = is_dropped(c);
        const auto in_time = [&]() -> pa::task<bool> {
            co_return co_await pa::timeout(std::move(turned_away), loop.now() + 60s);
        };
        CHECK(pa::sync_wait(loop, in_time()));
    }
    CHECK(log.count("warning: accept failed why=\"Too many open files\"") == 1);
    table.release();
    std::optional<tcp::channel> a, b;
    pa::sync_wait(loop, connect(loop, listener, a, b));
    CHECK((a && b));
}

#endif
