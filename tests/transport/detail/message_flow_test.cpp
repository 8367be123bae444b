#include <papilio/transport/detail/message_flow.hpp>

#include <papilio/async/thread_loop.hpp>

#include <support/collected_log.hpp>
#include <support/tasks.hpp>

#include <catch2/catch.hpp>

#include <vector>

namespace pa = papilio;
using pa::detail::message_flow;
using pa::wire::flow_kind;

namespace {

constexpr std::size_t window = pa::wire::first_window;

/// One peer, 0, of three, and what it has launched.
struct peer_zero : pa::detail::message_carrier {
    void launch(int peer, pa::tag what, pa::bytes content, pa::tag) override
    {
        launched.push_back({peer, what, {content.begin(), content.end()}});
    }
    pa::task<> send(int peer, pa::tag t, std::size_t size)
    {
        const std::vector<std::byte> content(size, std::byte{7});
        co_await flow.send(peer, t, content);
    }
    int count(flow_kind kind) const
    {
        int n = 0;
        for (const auto& l : launched)
            n += l.what == pa::wire::flow_tag && pa::wire::parse_flow(l.content).kind == kind;
        return n;
    }
    int messages() const
    {
        int n = 0;
        for (const auto& l : launched) n += l.what != pa::wire::flow_tag;
        return n;
    }
    void hear(const pa::wire::flow& f) { flow.arrived(1, pa::wire::flow_tag, pa::wire::encode(f)); }

    struct item {
        int peer;
        pa::tag what;
        std::vector<std::byte> content;
    };
    std::vector<item> launched;
    pa::thread_loop loop;
    pa::mailbox box{window};
    message_flow flow{box, *this, 0, 3, window};
};

constexpr pa::tag one{1};

}  // namespace

TEST_CASE("a message beyond the window is on its way as soon as it is asked for")
{
    peer_zero zero;
    auto fits = zero.send(1, one, window / 2), waits = zero.send(1, one, window),
         elsewhere = zero.send(2, one, window / 2);
    for (auto* work : {&fits, &waits, &elsewhere}) work->start(zero.loop);
    CHECK(fits.finished());
    CHECK(elsewhere.finished());
    CHECK(zero.messages() == 2);
    zero.hear({.kind = flow_kind::grant, .number = 1});
    CHECK(zero.messages() == 3);
    CHECK(zero.launched.back().content == std::vector<std::byte>(window, std::byte{7}));
    pa::test::run_dry(zero.loop);
    CHECK(waits.finished());
}

TEST_CASE("what is posted beyond the window waits in the background, in a copy")
{
    peer_zero zero;
    {
        const std::vector<std::byte> large(window, std::byte{3});
        zero.flow.post(1, one, large);
        zero.flow.post(1, pa::tag{2}, large);
        zero.flow.post(1, pa::tag{3}, large);
    }
    CHECK(zero.count(flow_kind::announce) == 3);
    zero.hear({.kind = flow_kind::decline, .number = 1});
    CHECK(zero.messages() == 0);
    zero.hear({.kind = flow_kind::grant, .number = 2});
    REQUIRE(zero.messages() == 1);
    CHECK(zero.launched.back().content == std::vector<std::byte>(window, std::byte{3}));
}

TEST_CASE("a send that is dropped while it waits is withdrawn")
{
    peer_zero zero;
    {
        auto waits = zero.send(1, one, window);
        waits.start(zero.loop);
    }
    CHECK(zero.count(flow_kind::withdraw) == 1);
    zero.hear({.kind = flow_kind::grant, .number = 1});
    CHECK(zero.messages() == 0);
}

TEST_CASE("with its link everything that waits for a peer ends")
{
    peer_zero zero;
    auto waits = zero.send(1, one, window);
    waits.start(zero.loop);
    zero.flow.close(1, pa::errc::disconnected);
    pa::test::run_dry(zero.loop);
    REQUIRE(waits.finished());
    CHECK_THROWS_AS(waits.result(), std::system_error);
    auto later = zero.send(1, one, window);
    later.start(zero.loop);
    REQUIRE(later.finished());
    CHECK_THROWS_AS(later.result(), std::system_error);
    zero.flow.post(1, one, std::vector<std::byte>(10));
    CHECK(zero.messages() == 0);
}

TEST_CASE("when a call is discarded all others are told that it is over")
{
    peer_zero zero;
    zero.flow.discard_call(pa::make_tag({.call = 5}));
    CHECK(zero.count(flow_kind::over) == 2);
}

TEST_CASE("who asks about a call that has ended is answered while its link is up")
{
    peer_zero zero;
    const auto view = pa::make_tag({.call = 5, .kind = pa::message_kind::view, .index = 3});
    zero.box.leave_answer(pa::make_tag({.call = 5}), std::vector<std::byte>(20));
    zero.flow.arrived(1, view, std::vector<std::byte>(100));
    REQUIRE(zero.messages() == 1);
    CHECK(zero.launched.back().peer == 1);
    CHECK(zero.launched.back().what == pa::make_tag({.call = 5, .kind = pa::message_kind::answer}));
    CHECK(zero.launched.back().content.size() == 20);
    zero.flow.close(2, pa::errc::disconnected);
    zero.flow.arrived(2, view, std::vector<std::byte>(100));
    CHECK(zero.messages() == 1);
}

TEST_CASE("the log names both ends of a link that fails because a peer breaks the protocol")
{
    const auto breaks = GENERATE(0, 1);
    const pa::test::collected_log log;
    peer_zero zero;
    const auto tell = [&] {
        if (breaks == 0)
            zero.flow.arrived(1, one, std::vector<std::byte>(window));
        else
            zero.flow.arrived(1, pa::wire::flow_tag, std::vector<std::byte>(3));
    };
    tell();
    CHECK(log.has("warning: link failed rank=0 peer=1 why=\"malformed message\""));
}
