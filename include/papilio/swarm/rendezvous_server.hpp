#pragma once

#include <papilio/async/event.hpp>
#include <papilio/async/gate.hpp>
#include <papilio/async/loop.hpp>
#include <papilio/async/task.hpp>
#include <papilio/base/config.hpp>
#include <papilio/swarm/membership.hpp>
#include <papilio/swarm/own_time.hpp>
#include <papilio/swarm/rendezvous_options.hpp>
#include <papilio/swarm/rendezvous_session.hpp>
#include <papilio/transport/channel.hpp>
#include <papilio/transport/pipe.hpp>
#include <papilio/wire/swarm.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace papilio::inline PAPILIO_MODE {

/// The meeting point of a run, inside the program that hosts it. Members join over channels, are
/// told the group of each round, and report its result; `membership` holds the rules. All queues
/// and waits are bounded: the number of channels without a member and their time to speak, the
/// messages queued for a member, and the time that a member may be silent. A member that breaks the
/// protocol is told why, and loses its channel and its membership. Time in which the program does
/// not run, since it is stopped or its machine sleeps, counts for none of the deadlines. Belongs to
/// `on`.
class rendezvous_server {
public:
    /// `host` is the address of member 0, the program itself. An empty host name makes members use
    /// the address at which they reached the rendezvous. `watcher` may be null.
    rendezvous_server(loop& on, run_description run, wire::endpoint host, rendezvous_options o = {},
                      rendezvous_watcher* watcher = nullptr);
    rendezvous_server(const rendezvous_server&) = delete;
    rendezvous_server& operator=(const rendezvous_server&) = delete;

    /// Where members on other hosts can reach member 0. Its host is also that of members that have
    /// joined from this one: without it, others try the host at which they reach the rendezvous.
    void advertise(wire::endpoint at) { advertised_ = std::move(at); }

    /// Accepts channels until the task is dropped.
    template <channel_source Source>
    task<> serve(Source& source)
    {
        for (;;) {
            auto next = co_await source.accept();
            welcome(any_channel(std::move(next)));
        }
    }

    /// Serves a channel. When there are `max_unauthenticated` from which no member speaks yet, the
    /// oldest of the host with the most of them is dropped.
    void welcome(any_channel c) { open(std::move(c), false); }

    /// The channel by which the program itself takes part, as member 0 and observer, with a
    /// `rendezvous_client` of its own. Once per run.
    pipe host_channel();

    /// Ends a membership. The member is told `reason`, a sentence.
    void expel(std::uint16_t id, const std::string& reason);

    /// Ends all memberships but that of the program itself, and admits nobody from now on.
    void close(const wire::refused& why);

    /// Whether all channels have ended: after `close`, once everybody was told. `ended` finishes
    /// then.
    bool idle() const noexcept { return serving_ == 0; }
    task<> ended();

    const membership& run() const noexcept { return run_; }

private:
    using session = detail::rendezvous_session;

    /// Fires at the membership's next deadline.
    struct alarm final : event {
        explicit alarm(rendezvous_server& s) : server(s) {}
        void fire() override
        {
            server.run_.tick(server.clock_.now());
            server.act();
        }
        rendezvous_server& server;
    };

    /// Counts a channel while it is served.
    class served {
    public:
        explicit served(rendezvous_server& by) : by_(by) { ++by_.serving_; }
        served(const served&) = delete;
        served& operator=(const served&) = delete;
        ~served()
        {
            --by_.serving_;
            by_.ended_.open();
        }

    private:
        rendezvous_server& by_;
    };

    void open(any_channel c, bool host);
    void make_way();
    task<> serve_session(session& s);
    task<> receive_messages(session& s);
    bool admit(session& s, const wire::swarm_message& first);
    bool receive(session& s, const wire::swarm_message& message);
    bool welcome_member(session& s, const wire::join& request);
    void turn_away(session& s, const wire::join& request, const wire::refused& why);
    void tell(std::uint16_t id, const wire::swarm_message& message);
    void release(std::uint16_t id);
    template <class Message>
    void tell_status(std::uint16_t id, Message message);
    void call(const wire::group& group);
    wire::endpoint address_for(bool nearby, std::uint16_t id) const;
    wire::run_status addressed(bool nearby, wire::run_status status) const;
    void act();
    void carry_out(const membership_event& e);
    task<> send_heartbeats();

    loop& loop_;
    wire::endpoint host_;
    wire::endpoint advertised_;
    std::optional<wire::refused> closed_;
    rendezvous_options options_;
    detail::own_time clock_{loop_, options_.heartbeat};
    rendezvous_watcher* watcher_;
    membership run_;
    bool acting_ = false;
    bool has_host_ = false;
    int serving_ = 0;  // channels
    gate ended_;       // one of them
    std::list<std::unique_ptr<session>> sessions_;
    alarm alarm_{*this};
    task<> heartbeats_ = send_heartbeats();
};

}  // namespace papilio

#ifdef PAPILIO_HEADER_ONLY
#include <papilio/swarm/impl/rendezvous_server.hpp>
#endif
