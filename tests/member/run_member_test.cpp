#include <member/run_member.hpp>

#include <papilio/async/sync_wait.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/transport/tcp/listener.hpp>
#include <papilio/wire/swarm.hpp>

#include "support/process_limit.hpp"
#include "support/thrown.hpp"

#include <catch2/catch.hpp>

#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace papilio::example;
namespace pa = papilio;
using namespace std::chrono_literals;

namespace {

/// Contributes ones, without work in between.
class ones final : public run_work {
public:
    explicit ones(std::uint32_t round = 0)
    {
        auto first = std::make_shared<pa::state_snapshot>(*first_state(std::vector<float>(10)));
        first->round = round;
        auto first_digest = pa::example::digest(*first);
        adopt(std::move(first), std::move(first_digest));
    }

    const pa::shared_state& state() const override { return state_; }
    const std::string& digest() const override { return digest_; }
    void adopt(pa::shared_state next, std::string digest) override
    {
        state_ = std::move(next);
        digest_ = std::move(digest);
    }
    void step() override {}
    std::uint64_t steps_in_round() const override { return 0; }
    std::uint64_t steps_until_round() const override { return 0; }
    double seconds_per_step() const override { return 0; }
    std::span<const float> update() override { return update_; }
    update_residuals& residuals() override { return residuals_; }
    pa::wire::round_ready readiness() const override { return {state_->round, digest_}; }
    void record_round(const pa::average_result*, std::size_t) override { ++rounds; }
    void record_fetch() override { ++fetches; }
    bool save(bool) override { return true; }
    void print(pa::log_level, const std::string&) override {}
    void print_waiting(const std::string&) override {}

    int rounds = 0;
    int fetches = 0;

private:
    pa::shared_state state_;
    std::string digest_;
    std::vector<float> update_ = std::vector<float>(10, 1);
    update_residuals residuals_{0};
};

/// A host that does what a test says, message by message.
struct scripted_host {
    scripted_host() : listener(loop, {"127.0.0.1", 0}) { start(); }

    /// Its process begins, in place of an earlier one.
    void start()
    {
        mesh.reset();
        mesh = std::make_unique<pa::member_network>(loop, std::uint16_t{0}, mesh_options());
    }

    static pa::member_network_options mesh_options()
    {
        pa::member_network_options o;
        o.listen = {"127.0.0.1", 0};
        o.run = "scripted";
        return o;
    }

    run_member_options for_member() const
    {
        run_member_options o;
        o.client.rendezvous = listener.local();
        o.client.mesh = mesh_options();
        o.client.parameters = 10;
        o.client.attempt = 10s;
        return o;
    }

    /// Admits a member to a run with this state. Its messages are read from `channel` then.
    pa::task<> admit(std::unique_ptr<pa::any_channel>& channel, pa::wire::run_status now)
    {
        auto accepted = co_await listener.accept();
        channel = std::make_unique<pa::any_channel>(std::move(accepted));
        co_await next<pa::wire::join>(*channel);
        pa::wire::swarm_message admitted = pa::wire::joined{1, mesh->announced(), std::move(now)};
        co_await send(*channel, admitted);
    }

    /// The next message of this kind; others are passed over.
    template <class Message>
    pa::task<Message> next(pa::any_channel& from)
    {
        for (;;) {
            const auto bytes = co_await from.recv(pa::wire::max_member_message);
            const auto message = pa::wire::parse_swarm(bytes);
            if (const auto* found = std::get_if<Message>(&message)) co_return *found;
        }
    }

    pa::task<> send(pa::any_channel& to, const pa::wire::swarm_message& message)
    {
        const auto bytes = pa::wire::encode(message);
        co_await to.send(bytes);
    }

    pa::asio_loop loop;
    std::unique_ptr<pa::member_network> mesh;
    pa::tcp::listener listener;
};

/// Calls a group of the one member, takes its report, and is gone before it answers.
pa::task<std::string> die_with_report(scripted_host& host)
{
    std::unique_ptr<pa::any_channel> channel;
    pa::wire::run_status beginning;
    co_await host.admit(channel, std::move(beginning));
    const auto announced = co_await host.next<pa::wire::announce>(*channel);
    co_await host.next<pa::wire::round_ready>(*channel);
    pa::wire::group group;
    group.timeout_ms = 60'000;
    group.members.push_back({1, announced.at, pa::wire::member_role::full});
    const pa::wire::swarm_message call = group;
    co_await host.send(*channel, call);
    const auto report = co_await host.next<pa::wire::round_report>(*channel);
    co_return report.digest;
}

pa::task<> end_run(scripted_host& host, pa::any_channel& channel)
{
    const pa::wire::swarm_message over =
        pa::wire::refused{"the run is over", pa::wire::refusal_kind::run_over};
    co_await host.send(channel, over);
    co_await channel.close();
}

/// Waits until the member has gone, with a word or without. Who closed the channel before might
/// take back what it was told last.
pa::task<> hear_it_leave(scripted_host& host, pa::any_channel& channel)
{
    try {
        co_await host.next<pa::wire::leave>(channel);
    } catch (const std::system_error&) {
        // It has gone without a word.
    }
}

/// Comes back with this state, which nobody gives, and ends the run once the member holds it.
pa::task<pa::wire::state_held> come_back(scripted_host& host, std::string digest,
                                         std::uint32_t round)
{
    host.start();
    std::unique_ptr<pa::any_channel> channel;
    pa::wire::run_status now{round, std::move(digest), {}};
    co_await host.admit(channel, std::move(now));
    auto held = co_await host.next<pa::wire::state_held>(*channel);
    co_await end_run(host, *channel);
    co_return held;
}

/// A member that takes part on a thread of its own.
class running_member {
public:
    running_member(ones& work, const run_member_options& o)
        : member_(work, o), running_([this](std::stop_token stop) { run(stop); })
    {
    }

    /// Waits until it ends by itself. Throws what it has failed with.
    void end()
    {
        running_.join();
        if (failure_) std::rethrow_exception(failure_);
    }

    bool over() const { return member_.over(); }

private:
    void run(std::stop_token stop)
    {
        try {
            member_.run(stop);
        } catch (...) {
            failure_ = std::current_exception();
        }
    }

    run_member member_;
    std::exception_ptr failure_;
    std::jthread running_;
};

/// Admits a member that lacks the state to a run whose donors cannot be reached, and is gone.
pa::task<> die_with_donors(scripted_host& host)
{
    std::unique_ptr<pa::any_channel> channel;
    pa::wire::run_status now{1, "of nobody", {}};
    for (std::uint16_t id = 2; id < 18; ++id) now.donors.push_back({id, {"127.0.0.1", 9}});
    co_await host.admit(channel, std::move(now));
    co_await host.next<pa::wire::state_fetching>(*channel);
}

/// Admits a member that cannot open a socket for others then, and waits until it has gone.
pa::task<> admit_without_descriptors(scripted_host& host)
{
    auto accepted = co_await host.listener.accept();
    pa::any_channel channel(std::move(accepted));
    co_await host.next<pa::wire::join>(channel);
    const papilio::test::process_limit no_descriptors(RLIMIT_NOFILE, 0);
    pa::wire::swarm_message admitted = pa::wire::joined{1, host.mesh->announced(), {}};
    co_await host.send(channel, admitted);
    try {
        co_await host.next<pa::wire::announce>(channel);
        FAIL("it listens without a descriptor");
    } catch (const std::system_error&) {
        // It has gone.
    }
}

/// Admits a member to a run that is behind it, hears what it holds, and ends the run once it is
/// ready.
pa::task<pa::wire::round_ready> hear_claim(scripted_host& host, pa::wire::state_held& held)
{
    std::unique_ptr<pa::any_channel> channel;
    pa::wire::run_status now{2, "older", {}};
    co_await host.admit(channel, std::move(now));
    held = co_await host.next<pa::wire::state_held>(*channel);
    auto ready = co_await host.next<pa::wire::round_ready>(*channel);
    co_await end_run(host, *channel);
    co_return ready;
}

/// Admits a member to a run, whose host begins anew and gives this state, which is the latest.
pa::task<> admit_to(scripted_host& host, std::unique_ptr<pa::any_channel>& channel,
                    pa::shared_state state)
{
    channel.reset();
    host.start();
    host.mesh->publish(state);
    pa::wire::run_status now{state->round, pa::example::digest(*state), {}};
    now.donors.push_back({0, host.mesh->announced()});
    co_await host.admit(channel, std::move(now));
}

/// Tells the member, which has said that it holds a later state, that this is the run's.
pa::task<> refute_claim(scripted_host& host, pa::any_channel& channel, pa::shared_state state)
{
    co_await host.next<pa::wire::state_held>(channel);
    pa::wire::run_status now{state->round, pa::example::digest(*state), {}};
    now.donors.push_back({0, host.mesh->announced()});
    const pa::wire::swarm_message outdated = pa::wire::state_outdated{std::move(now)};
    co_await host.send(channel, outdated);
}

pa::shared_state fives_after(std::uint32_t round)
{
    auto s = std::make_shared<pa::state_snapshot>(*first_state(std::vector<float>(10, 5)));
    s->round = round;
    return s;
}

}  // namespace

TEST_CASE("a member that is further than the run it joins says so, and goes on from there",
          "[run_member]")
{
    ones work(3);
    scripted_host here;
    running_member member(work, here.for_member());
    pa::wire::state_held held;
    const auto ready = pa::sync_wait(here.loop, hear_claim(here, held));
    member.end();
    CHECK(held == pa::wire::state_held(3, work.digest()));
    CHECK(ready.round == 3);
    CHECK(ready.digest == work.digest());
    CHECK(work.fetches == 0);
}

TEST_CASE("a member falls back with its run when it learns that its later state is not the run's",
          "[run_member]")
{
    ones work(3);
    scripted_host here;
    running_member member(work, here.for_member());
    const auto later = work.state();
    const auto earlier = fives_after(1);
    pa::wire::state_held held;
    const auto script = [&]() -> pa::task<> {
        std::unique_ptr<pa::any_channel> channel;
        co_await admit_to(here, channel, later);
        co_await here.next<pa::wire::state_held>(*channel);
        co_await admit_to(here, channel, earlier);
        co_await refute_claim(here, *channel, earlier);
        do {
            held = co_await here.next<pa::wire::state_held>(*channel);
        } while (held.round != 1);
        co_await end_run(here, *channel);
    };
    pa::sync_wait(here.loop, script());
    member.end();
    CHECK(held.digest == work.digest());
    CHECK(work.state()->spans[0] == earlier->spans[0]);
    CHECK(work.fetches == 1);
}

TEST_CASE("a member does not fall back with a run in which it never was", "[run_member]")
{
    ones work(3);
    scripted_host here;
    running_member member(work, here.for_member());
    const auto script = [&]() -> pa::task<> {
        std::unique_ptr<pa::any_channel> channel;
        co_await admit_to(here, channel, fives_after(1));
        co_await refute_claim(here, *channel, fives_after(1));
        co_await hear_it_leave(here, *channel);
    };
    pa::sync_wait(here.loop, script());
    CHECK_THROWS_WITH(member.end(), Catch::Contains("the run has had 1 rounds, this member 3"));
    CHECK(work.state()->round == 3);
}

TEST_CASE("a donor that gives a later state than the run's is not asked again", "[run_member]")
{
    ones work;
    scripted_host here;
    running_member member(work, here.for_member());
    const auto truth = fives_after(1);
    int asked = 0;
    const auto script = [&]() -> pa::task<> {
        std::unique_ptr<pa::any_channel> channel;
        co_await admit_to(here, channel, truth);
        here.mesh->publish(fives_after(9));
        try {
            for (;; ++asked) {
                co_await refute_claim(here, *channel, truth);
            }
        } catch (const std::system_error&) {
            // The member has left: there is nobody else to ask.
        }
        co_await admit_to(here, channel, truth);
        co_await here.next<pa::wire::state_held>(*channel);
        co_await end_run(here, *channel);
    };
    pa::sync_wait(here.loop, script());
    member.end();
    CHECK(asked == 1);
    CHECK(work.digest() == pa::example::digest(*truth));
}

TEST_CASE("a member whose run has only donors that nobody can dial waits for another one",
          "[run_member]")
{
    ones work;
    scripted_host here;
    auto options = here.for_member();
    options.patience = 0.01;
    running_member member(work, options);
    const auto join_in_vain = [&]() -> pa::task<> {
        here.start();
        std::unique_ptr<pa::any_channel> channel;
        pa::wire::run_status now{1, "of nobody", {}};
        now.donors.push_back({2, {"", 0}});
        co_await here.admit(channel, std::move(now));
        co_await hear_it_leave(here, *channel);
    };
    pa::sync_wait(here.loop, join_in_vain());
    pa::sync_wait(here.loop, join_in_vain());
    CHECK(papilio::test::thrown_by([&] { member.end(); }) ==
          std::errc::resource_unavailable_try_again);
}

TEST_CASE("what a member has reported to a host that died then is its state, if it was settled",
          "[run_member]")
{
    ones work;
    scripted_host here;
    auto options = here.for_member();
    options.outer = {.rate = 1, .momentum = 0};
    running_member member(work, options);
    pa::wire::state_held held;
    const auto script = [&]() -> pa::task<> {
        auto digest = co_await die_with_report(here);
        held = co_await come_back(here, std::move(digest), 1);
    };
    pa::sync_wait(here.loop, script());
    member.end();
    CHECK(held.round == 1);
    CHECK(held.digest == work.digest());
    CHECK(work.state()->spans[0] == std::vector<float>(10, -1));
    CHECK(work.rounds == 1);
    CHECK(work.fetches == 0);
    CHECK(member.over());
}

TEST_CASE("who fetches the state of a run that is lost meanwhile joins again without asking all",
          "[run_member]")
{
    ones work;
    scripted_host here;
    running_member member(work, here.for_member());
    const auto script = [&]() -> pa::task<> {
        co_await die_with_donors(here);
        auto back = come_back(here, work.digest(), 0);
        co_await pa::timeout(std::move(back), here.loop.now() + 60s);  // of 160 for all donors
    };
    pa::sync_wait(here.loop, script());
    member.end();
    CHECK(member.over());
    CHECK(work.fetches == 0);
}

TEST_CASE("a member that has no descriptor left in the midst of joining waits until it has",
          "[run_member]")
{
    ones work;
    scripted_host here;
    running_member member(work, here.for_member());
    const auto script = [&]() -> pa::task<> {
        co_await admit_without_descriptors(here);
        auto back = come_back(here, work.digest(), 0);
        co_await pa::timeout(std::move(back), here.loop.now() + 60s);
    };
    pa::sync_wait(here.loop, script());
    member.end();
    CHECK(member.over());
}

TEST_CASE("a member that has no descriptor to join with does not blame the rendezvous",
          "[run_member]")
{
    ones work;
    scripted_host here;
    auto options = here.for_member();
    options.client.attempt = 50ms;
    options.patience = 0.01;
    run_member member(work, options);
    const papilio::test::process_limit no_descriptors(RLIMIT_NOFILE, 0);
    CHECK_THROWS_WITH(member.run({}), Catch::Contains("Too many open files") &&
                                          !Catch::Contains("start the validator"));
}
