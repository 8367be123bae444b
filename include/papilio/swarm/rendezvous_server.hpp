#pragma once

#include <papilio/async/gate.hpp>
#include <papilio/async/sleep.hpp>
#include <papilio/async/timeout.hpp>
#include <papilio/async/when_all.hpp>
#include <papilio/swarm/membership.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/transport/pipe.hpp>
#include <papilio/wire/swarm.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace papilio {

struct rendezvous_options {
    membership_options groups;
    duration hello = std::chrono::seconds(10);         ///< for a newcomer's first message
    duration idle_timeout = std::chrono::seconds(60);  ///< from a member, before it counts as gone
    duration heartbeat = std::chrono::seconds(5);      ///< between signs of life to members
    int max_strangers = 64;                            ///< channels from which no member speaks yet
};
static_assert(std::is_trivially_destructible_v<rendezvous_options>);

/// Wants to know what happens in a run. Called on the loop, in the midst of it: it may note things
/// and open gates, and awaits nothing.
struct rendezvous_watcher {
    virtual ~rendezvous_watcher() = default;
    virtual void saw(const membership_event& what) = 0;
};

/// Where the members of a run meet: a part of the program that hosts the run. Members join over
/// channels, are told the group of each round, and tell how it went; `membership` says by what
/// rules. Everything is bounded: how many strangers it hears and for how long, how much may wait to
/// be sent to a member, how long a member may be silent. Whoever breaks the protocol is told why
/// and loses its channel, and with it its membership. Belongs to `on`.
class rendezvous_server {
public:
    /// `host` is where member 0, the program itself, listens; an empty host leaves members to use
    /// the address at which they reached the rendezvous. `watcher` may be null.
    rendezvous_server(loop& on, run_description run, wire::endpoint host, rendezvous_options o = {},
                      rendezvous_watcher* watcher = nullptr);
    rendezvous_server(const rendezvous_server&) = delete;
    rendezvous_server& operator=(const rendezvous_server&) = delete;

    /// Welcomes everybody who comes, until it is dropped.
    template <channel_source Source>
    task<> serve(Source& source)
    {
        for (;;) {
            auto next = co_await source.accept();
            welcome(any_channel(std::move(next)));
        }
    }

    /// Hears what a newcomer wants; drops it at once when too many are being heard.
    void welcome(any_channel c) { open(std::move(c), false); }

    /// The channel of the program itself, to take part by a `rendezvous_client` as any member does,
    /// but as member 0 and observer. Once per run.
    pipe host_channel();

    /// Ends a membership; `reason` is a sentence for whoever runs that member.
    void expel(std::uint16_t id, const std::string& reason);

    const membership& run() const noexcept { return run_; }

private:
    struct session {
        session(any_channel c, bool h) : channel(std::move(c)), host(h) {}

        any_channel channel;
        bool host;
        int id = -1;
        bool ending = false;  // once all is sent
        std::deque<std::vector<std::byte>> outbox;
        gate mail;
        gate cut;  // now
        std::unique_ptr<task<>> work;
    };

    /// Fires when the membership has something to do by the clock.
    struct alarm final : event {
        explicit alarm(rendezvous_server& s) : server(s) {}
        void fire() override { server.tick(); }
        rendezvous_server& server;
    };

    void open(any_channel c, bool host);
    task<> attend(session& s);
    task<> hear(session& s);
    task<> speak(session& s);
    static task<> be_cut(session& s);
    bool admit(session& s, const wire::swarm_message& first);
    bool heed(session& s, const wire::swarm_message& message);
    task<std::vector<std::byte>> next_message(session& s, duration patience);
    void post(session& s, const wire::swarm_message& message);
    void tell(std::uint16_t id, const wire::swarm_message& message);
    void dismiss(session& s, const wire::refused& why);
    void act();
    void carry_out(const membership_event& e);
    void tick();
    task<> keep_alive();
    static wire::endpoint seen(wire::endpoint at, const session& s);

    loop& loop_;
    wire::endpoint host_;
    rendezvous_options options_;
    rendezvous_watcher* watcher_;
    membership run_;
    bool acting_ = false;
    bool has_host_ = false;
    std::list<std::unique_ptr<session>> sessions_;
    alarm alarm_{*this};
    task<> keeper_ = keep_alive();
};

inline rendezvous_server::rendezvous_server(loop& on, run_description run, wire::endpoint host,
                                            rendezvous_options o, rendezvous_watcher* watcher)
    : loop_(on),
      host_(std::move(host)),
      options_(o),
      watcher_(watcher),
      run_(std::move(run), o.groups)
{
    keeper_.start(loop_);
}

inline pipe rendezvous_server::host_channel()
{
    PAPILIO_CHECK(!std::exchange(has_host_, true), "a run has one host");
    auto ends = make_pipe(loop_);
    open(any_channel(std::move(ends.first)), true);
    return std::move(ends.second);
}

inline void rendezvous_server::open(any_channel c, bool host)
{
    std::erase_if(sessions_, [](const auto& s) { return s->work->finished(); });
    const auto strangers =
        std::ranges::count_if(sessions_, [](const auto& s) { return s->id < 0; });
    if (!host && strangers >= options_.max_strangers) return;
    sessions_.push_back(std::make_unique<session>(std::move(c), host));
    session& s = *sessions_.back();
    s.work = std::make_unique<task<>>(attend(s));
    s.work->start(loop_);
}

/// One newcomer, from its first message to its last.
inline task<> rendezvous_server::attend(session& s)
{
    std::string why = "it left";
    try {
        std::vector<task<>> sides;
        sides.push_back(hear(s));
        sides.push_back(speak(s));
        sides.push_back(be_cut(s));
        co_await when_any(std::move(sides));
    } catch (const std::system_error& failure) {
        why = failure.what();
        if (failure.code() == errc::timed_out) why = "nothing came from it for too long";
        if (failure.code() == errc::disconnected) why = "its channel closed";
    }
    if (s.id >= 0) {
        const auto id = static_cast<std::uint16_t>(std::exchange(s.id, -1));
        run_.leave(id, why, false, loop_.now());
        act();
    }
    if (!s.cut.is_open()) {
        co_await s.channel.close();
    }
}

inline task<std::vector<std::byte>> rendezvous_server::next_message(session& s, duration patience)
{
    task<std::vector<std::byte>> next = s.channel.recv(wire::max_member_message);
    co_return co_await timeout(std::move(next), loop_.now() + patience);
}

inline task<> rendezvous_server::hear(session& s)
{
    const auto first = co_await next_message(s, options_.hello);
    bool going_on = admit(s, wire::parse_swarm(first));
    while (going_on) {
        const auto message = co_await next_message(s, options_.idle_timeout);
        going_on = heed(s, wire::parse_swarm(message));
    }
    if (!s.ending) co_return;
    co_await s.cut.opened();  // what is still to be said goes out meanwhile
}

inline task<> rendezvous_server::speak(session& s)
{
    for (;;) {
        while (!s.outbox.empty()) {
            const auto message = std::move(s.outbox.front());
            s.outbox.pop_front();
            task<> sent = s.channel.send(message);
            co_await timeout(std::move(sent), loop_.now() + options_.idle_timeout);
        }
        if (s.ending) co_return;
        s.mail.close();
        co_await s.mail.opened();
    }
}

inline task<> rendezvous_server::be_cut(session& s)
{
    co_await s.cut.opened();
    throw std::system_error(errc::too_large, "too much waits to be sent to it");
}

inline wire::endpoint rendezvous_server::seen(wire::endpoint at, const session& s)
{
    if (at.host.empty() && at.port != 0) at.host = s.channel.remote();
    return at;
}

/// False: the newcomer is not wanted, and is told so.
inline bool rendezvous_server::admit(session& s, const wire::swarm_message& first)
{
    const auto* asked = std::get_if<wire::join>(&first);
    if (!asked) throw std::system_error(errc::bad_message, "it did not begin by joining");
    if (s.host) {
        s.id = run_.admit_host(host_);
        post(s, wire::joined{0, host_, run_.status_for(0)});
    } else {
        wire::join request = *asked;
        request.at = seen(std::move(request.at), s);
        auto answer = run_.admit(request);
        if (const auto* no = std::get_if<wire::refused>(&answer)) {
            dismiss(s, *no);
            return false;
        }
        auto& yes = std::get<wire::joined>(answer);
        yes.host = host_;
        s.id = yes.id;
        post(s, yes);
    }
    act();
    return true;
}

/// Acts on a member's message. False: it was the last.
inline bool rendezvous_server::heed(session& s, const wire::swarm_message& message)
{
    if (s.id < 0) return false;  // expelled, and the news is on its way
    const auto id = static_cast<std::uint16_t>(s.id);
    const auto now = loop_.now();
    if (std::holds_alternative<wire::leave>(message)) return false;
    if (std::holds_alternative<wire::alive>(message)) return true;
    try {
        if (const auto* a = std::get_if<wire::announce>(&message))
            run_.announce(id, seen(a->at, s));
        else if (const auto* h = std::get_if<wire::state_held>(&message))
            run_.holding(id, *h, now);
        else if (const auto* r = std::get_if<wire::round_ready>(&message))
            run_.ready(id, *r, now);
        else if (const auto* d = std::get_if<wire::round_report>(&message))
            run_.done(id, *d, now);
        else
            throw std::system_error(errc::bad_message, "members do not say this");
    } catch (const std::system_error& failure) {
        dismiss(s, {failure.what(), failure.code() == errc::refused});
        run_.leave(id, failure.what(), true, now);
    }
    act();
    return s.id >= 0;
}

inline void rendezvous_server::post(session& s, const wire::swarm_message& message)
{
    constexpr std::size_t most = 64;
    if (s.ending) return;
    if (s.outbox.size() >= most) return s.cut.open();
    s.outbox.push_back(wire::encode(message));
    s.mail.open();
}

inline void rendezvous_server::tell(std::uint16_t id, const wire::swarm_message& message)
{
    const auto found = std::ranges::find_if(sessions_, [id](const auto& s) { return s->id == id; });
    if (found != sessions_.end()) post(**found, message);
}

inline void rendezvous_server::dismiss(session& s, const wire::refused& why)
{
    post(s, wire::refused{why.reason.substr(0, wire::detail::max_text), why.temporary});
    s.id = -1;
    s.ending = true;
}

inline void rendezvous_server::expel(std::uint16_t id, const std::string& reason)
{
    run_.leave(id, reason, true, loop_.now());
    act();
}

/// Carries out what the membership decided, and what that leads to.
inline void rendezvous_server::act()
{
    if (std::exchange(acting_, true)) return;
    for (auto events = run_.take_events(); !events.empty(); events = run_.take_events())
        for (const auto& e : events) carry_out(e);
    acting_ = false;
    const auto next = run_.next_tick();
    alarm_.cancel();
    if (next != time_point::max()) loop_.post_at(alarm_, next);
}

inline void rendezvous_server::carry_out(const membership_event& e)
{
    if (const auto* called = std::get_if<group_called>(&e)) {
        for (const auto& m : called->group.members) tell(m.id, called->group);
    } else if (const auto* outcome = std::get_if<member_settled>(&e)) {
        tell(outcome->id, outcome->outcome);
    } else if (const auto* behind = std::get_if<member_outdated>(&e)) {
        tell(behind->id, wire::state_outdated{behind->now});
    } else if (const auto* awaited = std::get_if<member_warned>(&e)) {
        tell(awaited->id, awaited->warning);
    } else if (const auto* left = std::get_if<member_left>(&e); left && left->expelled) {
        for (auto& s : sessions_)
            if (s->id == left->id) dismiss(*s, {left->reason, false});
    }
    if (watcher_) watcher_->saw(e);
}

inline void rendezvous_server::tick()
{
    run_.tick(loop_.now());
    act();
}

inline task<> rendezvous_server::keep_alive()
{
    for (;;) {
        co_await sleep_for(options_.heartbeat);
        for (auto& s : sessions_)
            if (s->id >= 0 && s->outbox.empty()) post(*s, wire::alive{});
        std::erase_if(sessions_, [](const auto& s) { return s->work->finished(); });
    }
}

}  // namespace papilio
