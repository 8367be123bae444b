#include <papilio/swarm/rendezvous.hpp>

#include <papilio/async/timeout.hpp>
#include <papilio/sim/world.hpp>
#include <papilio/swarm/rendezvous_client.hpp>
#include <papilio/swarm/rendezvous_server.hpp>

#include <support/collected_log.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pa = papilio;
namespace wire = papilio::wire;
using namespace std::chrono_literals;

namespace {

const pa::run_description a_run{"a run", 100, 7, 0, ""};
constexpr pa::rendezvous_options quick_groups{.groups = {.min_group = 2,
                                                         .max_members = 8,
                                                         .group_wait = 10s,
                                                         .round_timeout = 60s,
                                                         .report_grace = 5s},
                                              .handshake_timeout = 5s,
                                              .idle_timeout = 30s,
                                              .heartbeat = 5s,
                                              .max_unauthenticated = 4};

/// Notes who came and who went, and why.
struct notes final : pa::rendezvous_watcher {
    void saw(const pa::membership_event& what) override
    {
        if (const auto* left = std::get_if<pa::member_left>(&what)) gone[left->id] = left->reason;
        if (const auto* ended = std::get_if<pa::group_round_outcome>(&what))
            outcomes.push_back(ended->ok);
    }
    std::map<std::uint16_t, std::string> gone;
    std::vector<bool> outcomes;
};

/// A rendezvous in virtual time.
struct meeting {
    pa::any_channel dial(pa::duration latency = 10ms)
    {
        auto ends = pa::make_pipe(world, latency);
        server.welcome(pa::any_channel(std::move(ends.first)));
        return pa::any_channel(std::move(ends.second));
    }

    std::unique_ptr<pa::rendezvous_client> client()
    {
        return std::make_unique<pa::rendezvous_client>(world, dial());
    }

    wire::join request() { return {"a run", {}, {"", next_port++}, 100, 7}; }

    /// Runs all of them until the last is done.
    void run(std::vector<pa::task<>> tasks) { pa::sync_wait(world, all(std::move(tasks))); }
    void run(pa::task<> one) { pa::sync_wait(world, std::move(one)); }
    void wait(pa::duration d) { run(pa::sleep_for(d)); }

    static pa::task<> all(std::vector<pa::task<>> tasks)
    {
        co_await pa::when_all(std::move(tasks));
    }

    pa::sim::world world;
    notes seen;
    std::uint16_t next_port = 1;
    pa::rendezvous_server server{world, a_run, {"", 9000}, quick_groups, &seen};
};

pa::task<> join(meeting& m, pa::rendezvous_client& c, wire::joined& answer)
{
    auto request = m.request();
    answer = co_await c.join(std::move(request));
}

pa::task<std::error_code> refused_join(pa::rendezvous_client& c, wire::join request,
                                       std::string& why)
{
    std::error_code code;
    try {
        co_await c.join(std::move(request));
    } catch (const std::system_error& failure) {
        code = failure.code();
        why = failure.what();
    }
    co_return code;
}

/// A member that lives through `rounds` rounds, reporting what `digest` says.
pa::task<> take_part(meeting& m, pa::rendezvous_client& c, std::uint32_t rounds, pa::duration work)
{
    wire::joined me;
    co_await join(m, c, me);
    wire::state_held held{me.now.round, me.now.digest};
    co_await c.report_state_held(held);
    for (std::uint32_t round = 0; round < rounds; ++round) {
        co_await pa::sleep_for(work);
        wire::round_ready r{round, {}, 10, 100, 1.5};
        co_await c.report_round_ready(r);
        const auto summons = co_await c.await_group();
        const auto& group = std::get<wire::group>(summons);
        wire::round_report d{group.round, group.attempt, true, "after " + std::to_string(round)};
        const auto outcome = co_await c.report_round(d);
        if (!outcome.ok || !outcome.yours || outcome.now.round != round + 1)
            throw std::runtime_error("a round failed");
    }
    co_await c.leave();
}

pa::task<> host_rounds(pa::rendezvous_client& c, std::uint32_t rounds, wire::group& last)
{
    wire::join request;
    co_await c.join(request);
    for (std::uint32_t round = 0; round < rounds; ++round) {
        wire::round_ready r;
        r.round = round;
        co_await c.report_round_ready(r);
        const auto summons = co_await c.await_group();
        last = std::get<wire::group>(summons);
        wire::round_report d{last.round, last.attempt, true, "after " + std::to_string(round)};
        const auto outcome = co_await c.report_round(d);
        if (!outcome.ok || !outcome.yours) throw std::runtime_error("a round failed");
    }
}

}  // namespace

TEST_CASE("members and their host go through rounds together", "[rendezvous]")
{
    meeting m;
    pa::rendezvous_client host(m.world, pa::any_channel(m.server.host_channel()));
    wire::group last;
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    std::vector<pa::task<>> tasks;
    tasks.push_back(host_rounds(host, 4, last));
    for (int i = 0; i < 3; ++i) {
        clients.push_back(m.client());
        tasks.push_back(take_part(m, *clients.back(), 4, 1s + i * 500ms));
    }
    m.run(std::move(tasks));
    CHECK(m.server.run().round() == 4);
    CHECK(m.seen.outcomes == std::vector<bool>(4, true));
    REQUIRE(last.members.size() == 4);
    CHECK(last.members[0].id == 0);
    CHECK(last.members[0].role == wire::member_role::observer);
    CHECK(last.members[0].at == wire::endpoint{"here", 9000});
    CHECK(last.members[1].at == wire::endpoint{"here", 1});
    m.wait(1s);
    CHECK(m.seen.gone.size() == 3);
    for (const auto& [id, why] : m.seen.gone) CHECK(why == "it left");
}

TEST_CASE("whoever does not fit into the run hears a sentence", "[rendezvous]")
{
    meeting m;
    auto request = m.request();
    auto first = m.client();
    std::string words;
    std::error_code code = make_error_code(pa::errc::refused);
    SECTION("another run")
    {
        request.run = "b run";
        words = "this is the run \"a run\", not \"b run\"";
    }
    SECTION("another model")
    {
        request.parameters = 1;
        words = "100 parameters, yours 1";
    }
    SECTION("the same address as another")
    {
        wire::joined answer;
        m.run(join(m, *first, answer));
        request.at.port = m.server.run().members().at(answer.id).at.port;
        words = "a member at here port 2 already";
        code = std::make_error_code(std::errc::resource_unavailable_try_again);
    }
    auto c = m.client();
    std::string why;
    CHECK(pa::sync_wait(m.world, refused_join(*c, request, why)) == code);
    CHECK(why.find(words) != std::string::npos);
}

TEST_CASE("whoever announces a place that is taken may come back when it is free", "[rendezvous]")
{
    meeting m;
    auto first = m.client(), second = m.client();
    wire::joined one, other;
    m.run(join(m, *first, one));
    m.run(join(m, *second, other));
    const auto announce = [&]() -> pa::task<> {
        wire::endpoint taken = m.server.run().members().at(one.id).at;
        co_await second->announce(std::move(taken));
        co_await second->await_group();
    };
    std::error_code code;
    try {
        m.run(announce());
    } catch (const std::system_error& failure) {
        code = failure.code();
        CHECK(std::string(failure.what()).find("port 1 already") != std::string::npos);
    }
    CHECK(code == std::errc::resource_unavailable_try_again);
    CHECK(m.server.run().members().size() == 1);
}

TEST_CASE("a latecomer is told the round, the digest and who can give the state", "[rendezvous]")
{
    meeting m;
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    std::vector<pa::task<>> tasks;
    wire::joined late;
    const auto members_that_stay = [&](pa::rendezvous_client& c) -> pa::task<> {
        wire::joined me;
        co_await join(m, c, me);
        wire::round_ready r;
        co_await c.report_round_ready(r);
        co_await c.await_group();
        wire::round_report d{0, 0, true, "D"};
        co_await c.report_round(d);
    };
    for (int i = 0; i < 2; ++i) {
        clients.push_back(m.client());
        tasks.push_back(members_that_stay(*clients.back()));
    }
    m.run(std::move(tasks));
    auto c = m.client();
    m.run(join(m, *c, late));
    CHECK(late.id == 3);
    CHECK(late.host == wire::endpoint{"here", 9000});
    CHECK(late.now.round == 1);
    CHECK(late.now.digest == "D");
    REQUIRE(late.now.donors.size() == 2);
    CHECK(late.now.donors[0].at.host == "here");

    const auto wrong = [&]() -> pa::task<> {
        wire::round_ready r;
        co_await c->report_round_ready(r);
        const auto summons = co_await c->await_group();
        CHECK(std::get<wire::state_outdated>(summons).now.round == 1);
    };
    m.run(wrong());
    const auto right = [&]() -> pa::task<> {
        wire::state_held h{1, "D"};
        co_await c->report_state_held(h);
        auto news = c->await_group();
        std::error_code why;
        try {
            co_await pa::timeout(std::move(news), pa::time_point(m.world.now() + 1s));
        } catch (const std::system_error& failure) {
            why = failure.code();
        }
        CHECK(why == pa::errc::timed_out);  // nobody has said that its state is outdated
    };
    m.run(right());
}

TEST_CASE("a member that trains hears that others wait for it", "[rendezvous]")
{
    meeting m;
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(m.client());
    const auto each = [&](std::size_t i) -> pa::task<> {
        wire::joined me;
        co_await join(m, *clients[i], me);
        wire::state_held h;
        co_await clients[i]->report_state_held(h);
        wire::round_ready r;
        if (i > 0) {
            co_await clients[i]->report_round_ready(r);
        }
        co_await pa::sleep_for(1s);
    };
    std::vector<pa::task<>> tasks;
    for (std::size_t i = 0; i < 3; ++i) tasks.push_back(each(i));
    m.run(std::move(tasks));
    CHECK(clients[0]->closing_in_ms() == 10'000);
    CHECK(clients[1]->closing_in_ms() == 0);
}

TEST_CASE("a member whose channel closes is gone, and the round goes on without it", "[rendezvous]")
{
    meeting m;
    auto a = m.client();
    auto b = m.client();
    wire::joined one, two;
    m.run(join(m, *a, one));
    m.run(join(m, *b, two));
    b.reset();
    m.wait(100ms);
    CHECK(m.seen.gone.at(two.id) == "its channel closed");
    CHECK(m.server.run().members().size() == 1);
}

TEST_CASE("a member that goes silent is gone after a while, one that lives is not", "[rendezvous]")
{
    meeting m;
    auto lives = m.client();
    auto ends = pa::make_pipe(m.world, 10ms);
    m.server.welcome(pa::any_channel(std::move(ends.first)));
    const auto silent = [&]() -> pa::task<> {
        const auto message = wire::encode(m.request());
        co_await ends.second.send(message);
    };
    wire::joined one;
    m.run(join(m, *lives, one));
    m.run(silent());
    m.wait(29s);
    CHECK(m.server.run().members().size() == 2);
    m.wait(2s);
    CHECK(m.server.run().members().size() == 1);
    CHECK(m.seen.gone.at(2) == "nothing came from it for too long");
    m.wait(1h);
    CHECK(m.server.run().members().size() == 1);
}

TEST_CASE("a rendezvous that goes silent, or away, is noticed", "[rendezvous]")
{
    pa::sim::world world;
    auto ends = pa::make_pipe(world, 10ms);
    pa::rendezvous_client c(world, pa::any_channel(std::move(ends.second)));
    std::string why;
    if (GENERATE(true, false)) {
        const auto code = pa::sync_wait(world, refused_join(c, {}, why));
        CHECK(code == pa::errc::timed_out);
    } else {
        pa::sync_wait(world, ends.first.close());
        const auto code = pa::sync_wait(world, refused_join(c, {}, why));
        CHECK(code == pa::errc::disconnected);
    }
}

TEST_CASE("all who wait learn that the run is lost, and nobody while it is not", "[rendezvous]")
{
    meeting m;
    auto c = m.client();
    wire::joined me;
    m.run(join(m, *c, me));
    m.run(c->report_state_held({0, ""}));
    std::vector<std::error_code> codes;
    const auto note_loss = [&](pa::task<> waiting) -> pa::task<> {
        try {
            co_await std::move(waiting);
        } catch (const std::system_error& failure) {
            codes.push_back(failure.code());
        }
    };
    const auto group = [&]() -> pa::task<> { co_await c->await_group(); };
    std::vector<pa::task<>> waiting;
    waiting.push_back(note_loss(c->lost()));
    waiting.push_back(note_loss(group()));
    waiting.push_back(note_loss(c->lost()));
    for (auto& t : waiting) t.start(m.world);
    m.wait(10min);
    CHECK(codes.empty());
    CHECK_NOTHROW(c->check());
    m.server.expel(me.id, "its link is too slow");
    m.wait(1s);
    CHECK(codes == std::vector<std::error_code>(3, pa::make_error_code(pa::errc::refused)));
    CHECK_THROWS_AS(c->check(), std::system_error);
}

TEST_CASE("strangers are dropped in time, and the oldest at once when there are too many",
          "[rendezvous]")
{
    meeting m;
    std::vector<pa::any_channel> strangers;
    for (int i = 0; i < 6; ++i) strangers.push_back(m.dial());
    const auto hear_end = [](pa::any_channel& c) -> pa::task<> {
        try {
            co_await c.recv(1000);
        } catch (const std::system_error& failure) {
            if (failure.code() != pa::errc::disconnected) throw;
        }
    };
    for (std::size_t i = 0; i < 2; ++i) m.run(hear_end(strangers[i]));
    CHECK(m.world.now() < pa::time_point(1s));
    for (std::size_t i = 2; i < 6; ++i) m.run(hear_end(strangers[i]));
    CHECK(m.world.now() < pa::time_point(6s));
    auto c = m.client();
    wire::joined answer;
    m.run(join(m, *c, answer));
    CHECK(answer.id == 1);
}

TEST_CASE("150 members 300 ms away that join at once are all admitted", "[rendezvous]")
{
    pa::sim::world world;
    pa::rendezvous_options o;
    o.groups.max_members = 200;
    pa::rendezvous_server server(world, a_run, {"", 9000}, o);
    std::vector<std::unique_ptr<pa::rendezvous_client>> members;
    std::vector<wire::joined> answers(150);
    std::vector<pa::task<>> joining;
    const auto join_one = [&](std::size_t i) -> pa::task<> {
        wire::join request{"a run", {}, {"", static_cast<std::uint16_t>(i + 1)}, 100, 7};
        answers[i] = co_await members[i]->join(std::move(request));
    };
    for (std::size_t i = 0; i < answers.size(); ++i) {
        auto ends = pa::make_pipe(world, 300ms);
        server.welcome(pa::any_channel(std::move(ends.first)));
        members.push_back(std::make_unique<pa::rendezvous_client>(
            world, pa::any_channel(std::move(ends.second))));
        joining.push_back(join_one(i));
    }
    pa::sync_wait(world, meeting::all(std::move(joining)));
    CHECK(server.run().members().size() == 150);
}

TEST_CASE("whoever breaks the protocol is told why and loses its membership", "[rendezvous]")
{
    meeting m;
    auto c = m.client();
    wire::joined me;
    m.run(join(m, *c, me));
    const auto misbehave = [&]() -> pa::task<> {
        wire::round_report d{0, 0, true, "D"};
        co_await c->report_round(d);
    };
    std::string why;
    try {
        m.run(misbehave());
    } catch (const std::system_error& failure) {
        CHECK(failure.code() == pa::errc::refused);
        why = failure.what();
    }
    CHECK(why.find("no report of member 1 is due") != std::string::npos);
    CHECK(m.server.run().members().empty());
}

TEST_CASE("garbage and messages of the wrong side end a channel", "[rendezvous]")
{
    meeting m;
    std::vector<std::vector<std::byte>> bad{
        std::vector<std::byte>(40), wire::encode(wire::round_outcome{}),
        wire::encode(wire::alive{}), std::vector<std::byte>(wire::max_member_message + 1)};
    for (const auto& message : bad) {
        auto channel = m.dial();
        const auto say = [&]() -> pa::task<> {
            co_await channel.send(message);
            try {
                co_await channel.recv(1000);
            } catch (const std::system_error& failure) {
                if (failure.code() != pa::errc::disconnected) throw;
            }
        };
        const auto began = m.world.now();
        m.run(say());
        CHECK(m.world.now() < began + 1s);
    }
    CHECK(m.server.run().members().empty());
}

TEST_CASE("the host may end a membership", "[rendezvous]")
{
    meeting m;
    auto c = m.client();
    wire::joined me;
    m.run(join(m, *c, me));
    m.server.expel(me.id, "its link is too slow");
    std::string why;
    const auto wait = [&]() -> pa::task<> {
        try {
            co_await c->await_group();
        } catch (const std::system_error& failure) {
            why = failure.what();
        }
    };
    m.run(wait());
    CHECK(why.find("its link is too slow") != std::string::npos);
    CHECK(m.seen.gone.at(me.id) == "its link is too slow");
}

TEST_CASE("a member that reads nothing is dropped before much waits for it", "[rendezvous]")
{
    meeting m;
    auto channel = m.dial();
    const auto flood = [&]() -> pa::task<> {
        const auto joining = wire::encode(m.request());
        co_await channel.send(joining);
        const auto old = wire::encode(wire::round_ready{5, {}});
        try {
            for (int i = 0; i < 20'000; ++i) {
                co_await channel.send(old);
            }
        } catch (const std::system_error& failure) {
            if (failure.code() != pa::errc::disconnected) throw;
        }
    };
    m.run(flood());
    m.wait(60s);
    CHECK_THAT(m.seen.gone.at(1), Catch::Contains("does not read the messages sent to it"));
}

TEST_CASE("a run logs its rounds, and who comes and goes", "[rendezvous]")
{
    const pa::test::collected_log log;
    meeting m;
    auto a = m.client(), b = m.client();
    std::vector<pa::task<>> tasks;
    tasks.push_back(take_part(m, *a, 1, 1s));
    tasks.push_back(take_part(m, *b, 1, 2s));
    m.run(std::move(tasks));
    m.wait(1s);
    CHECK(log.count("debug: session opened from=here") == 2);
    CHECK(log.has("info: member joined member=1 name=\"\" from=here"));
    CHECK(log.has("info: run joined member=2 round=0"));
    CHECK(log.has("info: group called round=0 attempt=0 epoch=1 members=2"));
    CHECK(log.has("info: group joined member=2 round=0 attempt=0 epoch=1 members=2"));
    CHECK(log.has("info: round succeeded round=0 attempt=0 epoch=1 members=2 reports=2"));
    CHECK(log.has("info: round ended member=1 round=0 attempt=0 result=adopted"));
    CHECK(log.has("info: run left member=1"));
    CHECK(log.has("info: member left member=1"));
    CHECK(log.count("warning:") == 0);
}

TEST_CASE("a run logs who is refused, lost and expelled, and why", "[rendezvous]")
{
    const pa::test::collected_log log;
    meeting m;
    auto stranger = m.client();
    auto request = m.request();
    request.run = "b run";
    request.name = "\x1b[2Jeve";
    std::string why;
    CHECK(pa::sync_wait(m.world, refused_join(*stranger, request, why)) == pa::errc::refused);
    CHECK(log.has("warning: member refused name=?[2Jeve from=here why=\"this is the run"));
    CHECK(log.has("warning: join failed member=-1 why=\"this is the run"));

    auto lost = m.client(), expelled = m.client();
    wire::joined one, two;
    m.run(join(m, *lost, one));
    m.run(join(m, *expelled, two));
    lost.reset();
    m.wait(1s);
    CHECK(log.has("warning: member lost member=1 why=\"its channel closed\""));
    m.server.expel(two.id, "its link is too slow");
    m.wait(1s);
    CHECK(log.has("warning: member expelled member=2 why=\"its link is too slow\""));
    CHECK(log.has("warning: run lost member=2 why=\"its link is too slow: "));

    std::vector<pa::any_channel> silent;
    for (int i = 0; i < 5; ++i) silent.push_back(m.dial());
    m.wait(10s);
    CHECK(log.count("session refused from=here why=\"too many") == 1);
    CHECK(log.count("session refused from=here why=\"nothing came from it for too long") == 4);
}

TEST_CASE("a run logs whom the reports of a failed round blame", "[rendezvous]")
{
    const pa::test::collected_log log;
    meeting m;
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    const auto blames = [&](pa::rendezvous_client& c, std::int32_t culprit) -> pa::task<> {
        wire::round_ready r;
        co_await c.report_round_ready(r);
        co_await c.await_group();
        wire::round_report d{0, 0, false, {}, 0, 0, 0, culprit};
        co_await c.report_round(d);
        r.round = 5;
        co_await c.report_round_ready(r);
        co_await c.await_group();
    };
    std::vector<pa::task<>> tasks;
    for (const int culprit : {2, 3, -1}) {
        clients.push_back(m.client());
        wire::joined me;
        m.run(join(m, *clients.back(), me));
        m.run(clients.back()->report_state_held({}));
        tasks.push_back(blames(*clients.back(), culprit));
    }
    m.wait(1s);  // all of them train
    m.run(std::move(tasks));
    CHECK(
        log.has("warning: round failed round=0 attempt=0 epoch=1 members=3 reports=3 "
                "culprits=2,3"));
    CHECK(log.has("info: round ended member=3 round=0 attempt=0 result=failed"));
    CHECK(log.has("debug: member outdated member=1 round=0"));
    CHECK(log.has("info: state outdated member=1 round=0"));
}

TEST_CASE("a rendezvous that stood still blames nobody, whenever that was", "[rendezvous]")
{
    for (int at = 0; at < 60; ++at) {
        INFO("after " << at * 230 << " ms");
        meeting m;
        std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
        std::vector<pa::task<>> tasks;
        for (int i = 0; i < 3; ++i) {
            clients.push_back(m.client());
            tasks.push_back(take_part(m, *clients.back(), 4, 1s + i * 500ms));
        }
        for (auto& t : tasks) t.start(m.world);
        m.wait(at * 230ms);
        m.world.stand_still(10min);
        m.wait(60s);
        for (auto& t : tasks) {
            REQUIRE(t.finished());
            t.result();
        }
        CHECK(m.server.run().round() == 4);
        CHECK(m.seen.outcomes == std::vector<bool>(4, true));
    }
}

TEST_CASE("a rendezvous that closes says whether it comes back, and admits nobody any more",
          "[rendezvous]")
{
    const auto [kind, code] = GENERATE(table<wire::refusal_kind, std::error_code>(
        {{wire::refusal_kind::paused,
          std::make_error_code(std::errc::resource_unavailable_try_again)},
         {wire::refusal_kind::run_over, make_error_code(pa::errc::run_over)}}));
    meeting m;
    auto member = m.client();
    wire::joined me;
    m.run(join(m, *member, me));
    m.server.close({"it closes", kind});
    std::error_code heard;
    const auto wait = [&]() -> pa::task<> {
        try {
            co_await member->await_group();
        } catch (const std::system_error& failure) {
            heard = failure.code();
        }
    };
    m.run(wait());
    CHECK(heard == code);
    CHECK(m.seen.gone.at(me.id) == "it closes");
    auto late = m.client();
    std::string why;
    CHECK(pa::sync_wait(m.world, refused_join(*late, m.request(), why)) == code);
    CHECK(why.find("it closes") != std::string::npos);
}

TEST_CASE("a group waits for a member that fetches the state, and logs what that has cost",
          "[rendezvous]")
{
    const pa::test::collected_log log;
    meeting m;
    auto a = m.client(), b = m.client(), late = m.client();
    const auto fetch = [&]() -> pa::task<> {
        wire::joined me;
        co_await join(m, *late, me);
        co_await late->report_state_fetching(me.now.round);
        co_await pa::sleep_for(20s);
        wire::state_held held{me.now.round, me.now.digest};
        co_await late->report_state_held(held);
        wire::round_ready ready{me.now.round, {}};
        co_await late->report_round_ready(ready);
        const auto summons = co_await late->await_group();
        const auto& group = std::get<wire::group>(summons);
        wire::round_report d{group.round, group.attempt, true, "after 0"};
        co_await late->report_round(d);
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(take_part(m, *a, 1, 1s));
    tasks.push_back(take_part(m, *b, 1, 2s));
    tasks.push_back(fetch());
    m.run(std::move(tasks));
    CHECK(log.has("info: group held members=1"));
    CHECK(log.has("info: group hold ended lost="));
    CHECK(log.has("info: group called round=0 attempt=0 epoch=1 members=3"));
}

namespace {

/// A channel whose other side seems to be at `host`.
struct channel_from {
    pa::task<> send(pa::bytes message) { return held.send(message); }
    pa::task<std::vector<std::byte>> recv(std::size_t limit) { return held.recv(limit); }
    pa::task<> close() { return held.close(); }
    std::string remote() { return host; }
    pa::pipe held;
    std::string host;
};

}  // namespace

TEST_CASE("a loopback address is told to nobody on another host", "[rendezvous]")
{
    const bool advertised = GENERATE(true, false);
    meeting m;
    if (advertised) m.server.advertise({"run.example", 7000});
    const auto come = [&](const std::string& from, const std::string& reached) {
        auto ends = pa::make_pipe(m.world, 10ms);
        m.server.welcome(pa::any_channel(channel_from{std::move(ends.first), from}));
        return std::make_unique<pa::rendezvous_client>(
            m.world, pa::any_channel(channel_from{std::move(ends.second), reached}));
    };
    auto near = come("127.0.0.1", "127.0.0.1"), far = come("10.0.0.9", "192.0.2.1");
    std::map<std::string, wire::group> groups;
    std::map<std::string, wire::joined> answers;
    const auto meet = [&](pa::rendezvous_client& c, std::string who) -> pa::task<> {
        co_await join(m, c, answers[who]);
        wire::state_held held;
        co_await c.report_state_held(held);
        co_await pa::sleep_for(1s);
        wire::round_ready ready;
        co_await c.report_round_ready(ready);
        const auto summons = co_await c.await_group();
        groups[who] = std::get<wire::group>(summons);
    };
    std::vector<pa::task<>> tasks;
    tasks.push_back(meet(*near, "near"));
    tasks.push_back(meet(*far, "far"));
    m.run(std::move(tasks));
    CHECK(answers["near"].host == wire::endpoint{"127.0.0.1", 9000});
    CHECK(groups["near"].members[0].at == wire::endpoint{"127.0.0.1", 1});
    CHECK(groups["near"].members[1].at == wire::endpoint{"10.0.0.9", 2});
    const std::string seen = advertised ? "run.example" : "192.0.2.1";
    const std::uint16_t port = advertised ? 7000 : 9000;
    CHECK(answers["far"].host == wire::endpoint{seen, port});
    CHECK(groups["far"].members[0].at == wire::endpoint{seen, 1});
    CHECK(groups["far"].members[1].at == wire::endpoint{"10.0.0.9", 2});
}

TEST_CASE("members may be dropped at every step", "[rendezvous][drop]")
{
    for (int steps = 0;; ++steps) {
        meeting m;
        auto a = m.client();
        auto b = m.client();
        bool done = false;
        {
            std::vector<pa::task<>> tasks;
            tasks.push_back(take_part(m, *a, 2, 1s));
            tasks.push_back(take_part(m, *b, 2, 2s));
            for (auto& t : tasks) t.start(m.world);
            const auto finished = [&] { return tasks[0].finished() && tasks[1].finished(); };
            for (int i = 0; i < steps && !finished(); ++i) REQUIRE(m.world.run_one());
            done = finished();
            if (steps % 2 == 0) {
                tasks.erase(tasks.begin() + 1);
                b.reset();
            }
        }
        m.wait(200s);
        if (done) {
            CHECK(steps > 50);
            break;
        }
    }
}

namespace {

/// Holds the state, and leaves as the last that does: `left` is set when it has.
pa::task<> leave_last(meeting& m, pa::rendezvous_client& c, pa::duration stay, bool& left)
{
    wire::joined me;
    co_await join(m, c, me);
    wire::state_held held{0, {}};
    co_await c.report_state_held(held);
    co_await pa::sleep_for(1s);
    co_await c.leave(stay);
    left = true;
}

}  // namespace

TEST_CASE("whoever leaves stays for members that have the state from nobody else", "[rendezvous]")
{
    meeting m;
    auto last = m.client(), behind = m.client();
    bool left = false;
    wire::joined me;
    m.run(join(m, *behind, me));
    pa::task<> leaves = leave_last(m, *last, 30s, left);
    leaves.start(m.world);
    SECTION("until they hold it")
    {
        m.wait(20s);
        CHECK_FALSE(left);
        CHECK(m.server.run().members().size() == 2);
        m.run(behind->report_state_held({0, {}}));
        m.wait(1s);
        CHECK(left);
    }
    SECTION("until the run is over")
    {
        m.wait(20s);
        m.server.close({"the run is over", wire::refusal_kind::run_over});
        m.wait(1s);
        CHECK(left);
    }
    SECTION("for as long as it may")
    {
        m.wait(30s);
        CHECK_FALSE(left);
        m.wait(3s);
        CHECK(left);
        CHECK(m.server.run().members().size() == 1);
    }
    const auto why = m.seen.gone.begin()->second;
    CHECK((why == "it left" || why == "the run is over"));
    CHECK(leaves.finished());
}

TEST_CASE("whoever leaves does not wait for a rendezvous that hangs", "[rendezvous]")
{
    pa::sim::world world;
    auto ends = pa::make_pipe(world, 10ms);
    pa::rendezvous_client c(world, pa::any_channel(std::move(ends.second)));
    const auto begun = world.now();
    pa::sync_wait(world, c.leave(30s));
    CHECK(world.now() - begun < 10s);
}

namespace {

/// Is ready for the first round, and returns who has gone by then, or after its group was called.
pa::task<> hear_of_gone(meeting& m, pa::rendezvous_client& c, std::vector<std::uint16_t>& gone)
{
    wire::joined me;
    co_await join(m, c, me);
    wire::round_ready r{0, {}, 10, 100, 1.5};
    co_await c.report_round_ready(r);
    co_await c.await_group();
    gone = co_await c.members_gone();
}

/// Holds another state than the run's, and returns who has gone.
pa::task<> hear_while_behind(meeting& m, pa::rendezvous_client& c, std::vector<std::uint16_t>& gone)
{
    wire::joined me;
    co_await join(m, c, me);
    wire::state_held other{5, "another state"};
    co_await c.report_state_held(other);
    gone = co_await c.members_gone();
}

pa::task<> only_join(meeting& m, pa::rendezvous_client& c)
{
    wire::joined me;
    co_await join(m, c, me);
}

}  // namespace

TEST_CASE("members that are behind hear who has gone, whom they would ask for the state",
          "[rendezvous]")
{
    meeting m;
    auto behind = m.client(), donor = m.client();
    std::vector<std::uint16_t> gone;
    auto hears = hear_while_behind(m, *behind, gone);
    hears.start(m.world);
    m.wait(1s);
    auto joins = only_join(m, *donor);
    joins.start(m.world);
    m.wait(1s);
    REQUIRE(m.server.run().members().size() == 2);
    donor.reset();
    m.wait(1s);
    CHECK(gone == std::vector<std::uint16_t>{2});
}

TEST_CASE("members that average hear who has gone", "[rendezvous]")
{
    meeting m;
    std::vector<std::unique_ptr<pa::rendezvous_client>> clients;
    std::vector<std::vector<std::uint16_t>> gone(3);
    std::vector<pa::task<>> tasks;
    for (auto& heard : gone) {
        clients.push_back(m.client());
        tasks.push_back(hear_of_gone(m, *clients.back(), heard));
    }
    for (auto& t : tasks) t.start(m.world);
    m.wait(20s);
    REQUIRE(m.server.run().members().size() == 3);
    tasks.pop_back();
    clients.pop_back();
    m.wait(1s);
    CHECK(gone[0] == std::vector<std::uint16_t>{3});
    CHECK(gone[1] == std::vector<std::uint16_t>{3});
}
