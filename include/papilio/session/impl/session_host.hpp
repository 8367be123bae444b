#pragma once

#include <papilio/async/asio_background_loop.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/base/config.hpp>
#include <papilio/base/error.hpp>
#include <papilio/session/endpoint_text.hpp>
#include <papilio/session/problem.hpp>
#include <papilio/session/session_host.hpp>
#include <papilio/swarm/rendezvous_server.hpp>
#include <papilio/transport/tcp/listener.hpp>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

// Included by one unit only, so that nothing here is inline.
namespace papilio::inline PAPILIO_MODE {

class session_host::body final : public rendezvous_watcher {
public:
    explicit body(session_host_options o) : options_(std::move(o))
    {
        try {
            background_.call([this] { open(); });
        } catch (const problem&) {
            throw;
        } catch (const std::system_error& failure) {
            throw problem(failure.code(), sentence(failure) + ": " + failure.code().message());
        }
        serving_ = background_.start(serve(), drop_.get_token());
        ending_ = background_.start(end_after_rounds(), drop_.get_token());
    }

    ~body() override
    {
        drop_.request_stop();
        serving_.wait();
        ending_.wait();
        background_.call([this] { server_.reset(), listener_.reset(); });
    }

    body(const body&) = delete;
    body& operator=(const body&) = delete;

    std::string address()
    {
        return background_.call([this] { return tcp::to_string(listener_->local()); });
    }

    std::uint32_t round()
    {
        return background_.call([this] { return server_->run().round(); });
    }

    std::vector<hosted_member> members()
    {
        return background_.call([this] {
            std::vector<hosted_member> all;
            for (const auto& [id, m] : server_->run().members())
                all.push_back({id, m.name, tcp::to_string({m.at.host, m.at.port}), m.up_to_date(),
                               m.state == member_state::ready});
            return all;
        });
    }

    void end(const wire::refused& why) { background_.wait(finish(why)); }

    bool wait_for_end(std::chrono::nanoseconds limit) const
    {
        const auto last = later(std::chrono::steady_clock::now(), limit);
        return end_.wait_until(last) == std::future_status::ready;
    }

    void saw(const membership_event& what) override;

private:
    void open()
    {
        auto& loop = background_.loop();
        run_description run;
        run.name = options_.run;
        run.offered = true;
        rendezvous_options o;
        o.groups.min_group = options_.min_members;
        o.groups.max_group = options_.max_members;
        o.groups.rounds = options_.rounds;
        o.groups.group_wait = options_.patience;
        o.groups.round_timeout = options_.round_timeout;
        o.groups.fetch_hold = options_.fetch_hold;
        o.groups.resume_wait = options_.resume_wait;
        listener_ = std::make_unique<tcp::listener>(loop, parse_endpoint(options_.listen));
        server_ =
            std::make_unique<rendezvous_server>(loop, std::move(run), wire::endpoint{}, o, this);
        if (!options_.advertise.empty()) server_->advertise({options_.advertise, 0});
    }

    task<> serve() { co_await server_->serve(*listener_); }

    /// Ends a run that has had its rounds once all members hold the last state, or had time enough.
    task<> end_after_rounds()
    {
        const auto& run = server_->run();
        while (!run.had_all_rounds()) {
            co_await next_event();
        }
        try {
            task<> hold_it = all_up_to_date();
            co_await timeout(std::move(hold_it),
                             later(background_.loop().now(), options_.fetch_hold));
        } catch (const std::system_error&) {
            // Whoever is behind stays so.
        }
        wire::refused why{"the run is over", wire::refusal_kind::run_over};
        task<> finished = finish(std::move(why));
        co_await std::move(finished);
    }

    task<> next_event()
    {
        event_.close();
        co_await event_.opened();
    }

    task<> all_up_to_date()
    {
        const auto late = [](const auto& entry) { return !entry.second.up_to_date(); };
        while (std::ranges::any_of(server_->run().members(), late)) {
            co_await next_event();
        }
    }

    task<> finish(wire::refused why)
    {
        if (std::exchange(closing_, true)) co_return;
        server_->close(why);
        try {
            task<> told = server_->ended();
            co_await timeout(std::move(told), background_.loop().now() + std::chrono::seconds(1));
        } catch (const std::system_error&) {
            // Not everybody reads.
        }
        ended_.set_value();  // once: `closing_`
    }

    void tell_round(const group_round_outcome& outcome)
    {
        std::string text = "round " + std::to_string(outcome.group.round + 1) +
                           (outcome.ok ? " done by " : " failed for ") +
                           std::to_string(outcome.group.members.size()) + " members";
        for (const auto id : outcome.left()) text += ", without member " + std::to_string(id);
        options_.note(text);
    }

    session_host_options options_;
    std::stop_source drop_;
    std::promise<void> ended_;
    std::shared_future<void> end_ = ended_.get_future().share();
    bool closing_ = false;
    background_loop background_;

    // These belong to the loop.
    gate event_;  // of the run
    std::unique_ptr<tcp::listener> listener_;
    std::unique_ptr<rendezvous_server> server_;
    std::future<void> serving_;
    std::future<void> ending_;
};

void session_host::body::saw(const membership_event& what)
{
    event_.open();
    if (!options_.note) return;
    if (const auto* joined = std::get_if<member_joined>(&what))
        options_.note("member " + std::to_string(joined->id) + " joined");
    else if (const auto* left = std::get_if<member_left>(&what); left && !closing_)
        options_.note("member " + std::to_string(left->id) + " is gone: " + left->reason);
    else if (const auto* kept = std::get_if<member_kept>(&what))
        options_.note("member " + std::to_string(kept->id) +
                      " leaves when others hold the state, which it alone can give");
    else if (const auto* outcome = std::get_if<group_round_outcome>(&what))
        tell_round(*outcome);
    else if (const auto* adopted = std::get_if<state_adopted>(&what))
        options_.note("the run goes on from a member's state after round " +
                      std::to_string(adopted->round));
}

session_host::session_host(session_host_options o) : body_(std::make_unique<body>(std::move(o))) {}

session_host::~session_host()
{
    end();
}

std::string session_host::address() const
{
    return body_->address();
}

std::uint32_t session_host::round() const
{
    return body_->round();
}

std::vector<hosted_member> session_host::members() const
{
    return body_->members();
}

void session_host::end()
{
    body_->end({"the run is over", wire::refusal_kind::run_over});
}

void session_host::pause()
{
    body_->end({"the run pauses: its host was stopped, and means to come back",
                wire::refusal_kind::paused});
}

bool session_host::wait_for_end(std::chrono::nanoseconds limit) const
{
    return body_->wait_for_end(limit);
}

}  // namespace papilio
